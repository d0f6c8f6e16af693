"""Changes of the example castle's castle.yaml, and of what is around it, each by itself on a castle that lives."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from changing.bench import Living
from rebirth.lab.proxmox.host import Condition
from rebirth.run.change import How
from simulation import cluster
from standins import charts

NOW, REBOOT, REBIRTH, REFUSED, UNKNOWN = How.NOW, How.REBOOT, How.REBIRTH, How.REFUSED, How.UNKNOWN


@dataclass(frozen=True)
class Case:
    name: str  # as the table says it
    hows: frozenset[How]  # that plan has to say
    edit: Callable[[dict[str, Any]], None] = lambda document: None
    bend: Callable[[Living], None] = lambda living: None  # what happens besides
    exit_code: int = 0  # of create
    shows: Callable[[Living], bool] = field(default=lambda living: True)  # that it has really come to that


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def edit(document: dict[str, Any]) -> None:
        where: Any = document
        for key in path[:-1]:
            where = where[key]
        if to is None:
            del where[path[-1]]
        else:
            where[path[-1]] = to

    return edit


def _both(*edits: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def edit(document: dict[str, Any]) -> None:
        for one in edits:
            one(document)

    return edit


def _nodes(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """Of the worker."""

    def edit(document: dict[str, Any]) -> None:
        document["machines"]["nodes"][1].update(fields)

    return edit


def _corefile(living: Living, words: str) -> bool:
    found = living.world.cluster.get("v1", "ConfigMap", "coredns", "kube-system")
    return words in found["data"]["Corefile"]


def _given(words: str, count: int = 2) -> Callable[[Living], bool]:
    """Of how many machines the configuration has that."""
    return lambda living: sum(words in one.text for one in living.world.yard.machines.values()) == count


def _chart(repository: str, name: str, version: str, make: Any) -> Callable[[Living], None]:
    def bend(living: Living) -> None:
        living.world.helm.charts[repository, name, version] = make

    return bend


def _release(name: str, namespace: str, version: str) -> Callable[[Living], bool]:
    def shows(living: Living) -> bool:
        record = living.world.helm.records(namespace, name)[-1]
        return record["metadata"]["annotations"]["chart"] == f"{name}-{version}"

    return shows


def _secret(namespace: str, name: str, key: str, value: str) -> Callable[[Living], bool]:
    import base64

    def shows(living: Living) -> bool:
        found = living.world.cluster.get("v1", "Secret", name, namespace)
        return base64.b64decode(found["data"][key]).decode() == value

    return shows


def _rotate(name: str, value: str) -> Callable[[Living], None]:
    def bend(living: Living) -> None:
        (living.world.paths.vault / name).write_text(value)

    return bend


def _upgraded(living: Living) -> None:
    """By a person, with talosctl."""
    for machine in living.world.yard.machines.values():
        machine.talos = "v1.12.1"


def _allow_more(living: Living) -> None:
    """The tailnet's owner lets the castle give that tag, too."""
    clients = living.world.tailnet.clients
    clients[0] = replace(clients[0], tags=frozenset({*clients[0].tags, "tag:more"}))


def _off(living: Living) -> None:
    for machine in living.world.yard.machines.values():
        living.world.host.run(living.world.yard.stop(machine.vm.vmid))


def _strays(living: Living) -> None:
    world = living.world
    options = {"name": "tazlab-k8s-worker-9", "cores": "1", "memory": "1024", "tags": world.castle.proxmox.tag}
    world.pve.machines[805], world.pve.conditions[805] = options, Condition("pve")


def _silence(living: Living) -> None:
    machine = living.world.yard.at("192.168.50.21")
    machine.bundle = "another castle's"


def _patch(document: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return _set("talos", "patches", to=[document])


def _of(*hows: How) -> frozenset[How]:
    return frozenset(hows)


_POOL = ["192.168.50.230-192.168.50.240"]
_ESO, _METALLB = "https://charts.external-secrets.io", "https://metallb.github.io/metallb"

MACHINES = (
    Case("the name of the castle", _of(REBIRTH), _set("name", to="tazlab-k9s"), exit_code=4, shows=_given("tazlab-k9s", 0)),
    Case("a name for the API server's certificate", _of(NOW), _set("kubernetes", "cert_sans", to=["k8s.example"]),
         shows=_given("k8s.example", 1)),
    Case("another issuer of tokens", _of(NOW), _set("kubernetes", "service_account", "issuers", to=["https://i.example"]),
         shows=_given("https://i.example", 1)),
    Case("a system's disk", _of(REBIRTH), _nodes(disk_gib=200), exit_code=4),
    Case("Talos, a later version", _of(REFUSED), lambda d: d["talos"].update(version="v1.12.1", installer=None), exit_code=4),
    Case("Talos, after talosctl has installed it", _of(NOW), lambda d: d["talos"].update(version="v1.12.1", installer=None),
         _upgraded,
         shows=_given(":v1.12.1")),
    Case("Kubernetes, another patch version", _of(REFUSED), _set("kubernetes", "version", to="v1.35.5"), exit_code=4),
    Case("Kubernetes, a minor version", _of(REFUSED), _set("kubernetes", "version", to="v1.36.0"), exit_code=4),
    Case("another CNI", _of(REBIRTH), _set("kubernetes", "cni", to="none"), exit_code=3),
    Case("the network of the pods", _of(REBIRTH), _set("kubernetes", "pod_network", to="10.245.0.0/16"), exit_code=4),
    Case("the endpoint", _of(REBIRTH, REFUSED), _set("kubernetes", "endpoint", to="https://k8s.example:6443"), exit_code=4),
    Case("the tags of the nodes on the tailnet", _of(REBIRTH),
         _set("tailscale", "node_key", "tags", to=["tag:tazlab-k8s", "tag:more"]), _allow_more, exit_code=4),
    Case("a sysctl", _of(NOW), _patch({"machine": {"sysctls": {"vm.max_map_count": "262144"}}}), shows=_given("262144")),
    Case("an environment variable of Talos", _of(REBOOT), _patch({"machine": {"env": {"GRPC_GO_LOG_SEVERITY_LEVEL": "info"}}}),
         shows=lambda one: one.world.yard.changed == [("lushycorp-k8s", True), ("tazlab-k8s-worker-1", True)]),
    Case("a mirror of a registry", _of(NOW), _set("talos", "registry_mirrors", to={"docker.io": ["https://mirror.example"]}),
         shows=_given("mirror.example")),
    Case("nameservers", _of(NOW), _set("machines", "nameservers", to=["192.168.50.1", "192.168.50.2"]), shows=_given("192.168.50.2\n")),
    Case("a label of a node", _of(NOW), _nodes(labels={"disk": "fast"}), shows=_given("disk: fast", 1)),
    Case("a sysctl and the network of the pods at once", _of(REBIRTH, REFUSED),
         _both(_patch({"machine": {"sysctls": {"vm.max_map_count": "262144"}}}), _set("kubernetes", "pod_network", to="10.245.0.0/16")),
         exit_code=4, shows=_given("262144", 0)),
    Case("a sysctl and a forward, while all machines are off", _of(UNKNOWN),
         _both(_patch({"machine": {"sysctls": {"vm.swappiness": "1"}}}), _set("engine", "coredns", "forwards", "lan", to=["192.168.50.1"])),
         _off, shows=lambda one: _given("vm.swappiness: '1'")(one) and _corefile(one, "forward . 192.168.50.1")),
    Case("a sysctl, while a machine does not answer", _of(NOW, UNKNOWN), _patch({"machine": {"sysctls": {"vm.swappiness": "1"}}}),
         _silence, exit_code=1),
)  # fmt: skip
SIZES = (
    Case("memory of the control plane", _of(REBOOT), lambda d: d["machines"]["nodes"][0].update(memory_mib=12288),
         shows=lambda one: one.world.pve.machines[800]["memory"] == "12288"),
    Case("memory of the worker, less", _of(REBOOT), _nodes(memory_mib=12288),
         shows=lambda one: one.world.pve.machines[802]["memory"] == "12288"),
    Case("memory of the worker, more than its host has", _of(REFUSED), _nodes(memory_mib=131072), exit_code=4,
         shows=lambda one: one.world.pve.machines[802]["memory"] == "16384"),
    Case("cores of the worker", _of(REBOOT), _nodes(cores=8), shows=lambda one: one.world.pve.machines[802]["cores"] == "8"),
    Case("a worker more", _of(NOW), lambda d: d["machines"]["nodes"].append(
             {"name": "tazlab-k8s-worker-2", "role": "worker", "address": "192.168.50.22", "cores": 2, "memory_mib": 4096, "disk_gib": 20}),
         shows=lambda one: one.world.yard.at("192.168.50.22").state == "running"),
    Case("a worker with its tag, that castle.yaml does not name", _of(REFUSED), bend=_strays, exit_code=4),
    Case("the tag of the machines", _of(REFUSED), _set("proxmox", "tag", to="castle-other"), exit_code=1),
    Case("the address of the worker", _of(REBIRTH, UNKNOWN), _nodes(address="192.168.50.22"), exit_code=1),
)  # fmt: skip
CLUSTER = (
    Case("a forward of cluster DNS", _of(NOW), _set("engine", "coredns", "forwards", "lan", to=["192.168.50.1"]),
         shows=lambda one: _corefile(one, "forward . 192.168.50.1")),
    Case("replicas of CoreDNS", _of(NOW), _set("engine", "coredns", "replicas", to=3),
         shows=lambda one: one.world.cluster.get("apps/v1", "Deployment", "coredns", "kube-system")["spec"]["replicas"] == 3),
    Case("the address of cluster DNS", _of(REBIRTH), _set("kubernetes", "cluster_dns", to="10.96.0.11"), exit_code=4),
    Case("the pool of addresses", _of(NOW), _set("networking", "pool", "addresses", to=_POOL),
         shows=lambda one: one.world.cluster.get("metallb.io/v1beta1", "IPAddressPool", "lan", "metallb-system")["spec"]["addresses"] == _POOL),
    Case("the pool's name", _of(NOW, REFUSED), _set("networking", "pool", "name", to="home"), exit_code=4),
    Case("values of MetalLB", _of(NOW), _set("networking", "metallb", "values", to={"speaker": {"logLevel": "debug"}}),
         shows=lambda one: one.world.helm.values["metallb"]["speaker"] == {"logLevel": "debug"}),
    Case("MetalLB, a later version", _of(NOW), _set("networking", "metallb", "version", to="0.15.3"),
         _chart(_METALLB, "metallb", "0.15.3", charts.metallb), shows=_release("metallb", "metallb-system", "0.15.3")),
    Case("External Secrets, a later version", _of(NOW), _set("engine", "external_secrets", "version", to="0.20.5"),
         _chart(_ESO, "external-secrets", "0.20.5", charts.external_secrets), shows=_release("external-secrets", "external-secrets", "0.20.5")),
    Case("External Secrets, an earlier version", _of(NOW), _set("engine", "external_secrets", "version", to="0.20.3"),
         _chart(_ESO, "external-secrets", "0.20.3", charts.external_secrets), shows=_release("external-secrets", "external-secrets", "0.20.3")),
    Case("Longhorn, a version that its repository has not", _of(NOW), _set("storage", "version", to="1.99.0"), exit_code=1),
)  # fmt: skip
SECRETS = (
    Case("a rotated secret in the vault directory", _of(NOW), bend=_rotate("tailscale-operator-client-secret", "rotated"),
         shows=_secret("tailscale", "operator-oauth", "client_secret", "rotated")),
    Case("a namespace for a pull secret", _of(NOW),
         lambda d: d["engine"]["pull_secrets"][0]["namespaces"].append("apps"),
         shows=lambda one: one.world.cluster.get("v1", "Secret", "ghcr-pull-secret", "apps") is not None),
    Case("a namespace of a pull secret less", _of(REFUSED),
         lambda d: d["engine"]["pull_secrets"][0]["namespaces"].remove("default"), exit_code=4,
         shows=lambda one: one.world.cluster.get("v1", "Secret", "ghcr-pull-secret", "default") is not None),
    Case("a direct secret's key", _of(NOW), lambda d: d["engine"]["direct_secrets"][3]["data"].update(region="eu"),
         shows=_secret("tailscale", "operator-oauth", "region", "eu")),
    Case("the mount of Vault", _of(NOW), _set("engine", "vault", "mount", to="kv"), exit_code=1),
    Case("the name of the Vault store", _of(NOW, REFUSED), _set("engine", "store", "name", to="other-store"), exit_code=3),
)  # fmt: skip
GITOPS = (
    Case("a variable", _of(NOW), _set("gitops", "variables", "TIMEZONE", to="Europe/Rome"),
         shows=lambda one: one.world.cluster.get("v1", "ConfigMap", "cluster-variables", "flux-system")["data"]["TIMEZONE"] == "Europe/Rome"),
    Case("the interval", _of(REFUSED), _set("gitops", "interval", to="5m"), exit_code=4),
    Case("another branch, which the repository's own source does not follow", _of(REFUSED), _set("gitops", "branch", to="next"), exit_code=4),
    Case("the text that a site has to show", _of(), _set("online", "sites", 0, "contains", to="Something else"), exit_code=1),
    Case("nothing", _of()),
)  # fmt: skip
ALL = {"machines": MACHINES, "sizes": SIZES, "cluster": CLUSTER, "secrets": SECRETS, "gitops": GITOPS}
assert cluster.HELM  # the charts that there are besides
