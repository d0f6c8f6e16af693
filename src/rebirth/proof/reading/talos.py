"""Machine configurations: what one says once its patches are merged, and what Talos then makes in the cluster.

Patches are merged as Talos merges them: later values win, lists grow.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rebirth.proof.reading.manifest import MachineConfiguration, Manifest, Model, Unit, manifests, thing
from rebirth.proof.reading.repository_files import Files, is_near
from rebirth.proof.reading.yaml_files import UnreadableError, parse, text_of
from rebirth.proof.things import NOWHERE, Atomicity, Milestone, Place

TALOS = thing("Talos", "", "bootstrap manifests", Milestone.APPLIED)
KUBERNETES_PORT, TALOS_PORT = 6443, 50000
_LABELS = {"k8s-app": "kube-dns"}
_TOLERATIONS = [
    {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.cloudprovider.kubernetes.io/uninitialized", "operator": "Exists", "effect": "NoSchedule"},
]


class Written(NamedTuple):
    value: Any
    place: Place


class Merged:
    """One machine's configuration, with the place of every value."""

    def __init__(self, patches: tuple[Manifest, ...]) -> None:
        # Documents of other kinds (HostnameConfig, ExtensionServiceConfig) are no part of the main one.
        self.patches = [patch for patch in patches if "kind" not in patch.data or "machine" in patch.data]

    def last(self, *path: str) -> Written | None:
        """The value at that path that wins."""
        found = None
        for patch in self.patches:
            value = patch.at(*path)
            if value is not None:
                found = Written(value, patch.place(*path))
        return found

    def items(self, *path: str) -> Iterator[Written]:
        """All items of the list at that path."""
        for patch in self.patches:
            for index, item in enumerate(patch.items(*path)):
                yield Written(item, patch.place(*path, index))

    def pairs(self, *path: str) -> Iterator[tuple[str, Written]]:
        """All entries of the mapping at that path."""
        for patch in self.patches:
            for key, value in patch.mapping(*path).items():
                yield str(key), Written(value, patch.place(*path, str(key)))

    def is_set(self, *path: str) -> bool:
        found = self.last(*path)
        return found is not None and found.value is True


def shared_addresses(machine: MachineConfiguration) -> Iterator[Written]:
    """Addresses that control planes share (`vip`), as an interface's or a VLAN's own or as a document."""
    for item in Merged(machine.patches).items("machine", "network", "interfaces"):
        interface = item.value if isinstance(item.value, Mapping) else {}
        vlans = interface.get("vlans")
        for one in (interface, *(vlans if isinstance(vlans, list) else ())):
            if isinstance(one, Mapping) and isinstance(vip := one.get("vip"), Mapping) and vip.get("ip"):
                yield Written(str(vip["ip"]), item.place)
    for patch in machine.patches:
        if patch.kind in {"Layer2VIPConfig", "HCloudVIPConfig"} and patch.data.get("name"):
            yield Written(str(patch.data["name"]), patch.place("name"))


def control_plane(model: Model) -> MachineConfiguration | None:
    """The configuration that says what Talos makes in the cluster."""
    return next((machine for machine in model.machines if machine.role != "worker"), None)


_MAIN = {"version", "debug", "persist", "machine", "cluster"}
_UNUSED = ("archive", "template", "example", "old", "test")  # how folders begin that nobody installs from


def is_unused(files: Files, file: Path) -> bool:
    """Whether a file lies in a folder from which no machine is installed."""
    folders = Path(files.shown(file)).parts[:-1]
    return any(word.startswith(_UNUSED) for part in folders for word in re.split(r"[-_. ]", part.lower()))


_CLUSTERS = "clusters"  # the folder in which each has one


def is_of_another(file: Path, cluster: str, others: Iterable[str]) -> bool:
    """Whether a file lies in a folder that is called as another cluster of the repository, and in none that is called as this one."""
    own = set(Path(cluster).parts)
    theirs = {part for other in others if other != cluster for part in Path(other).parts}
    folders = set(file.parts[:-1])
    if _CLUSTERS in own & folders and file.parts[: (at := file.parts.index(_CLUSTERS) + 1)] == Path(cluster).parts[:at]:
        return file.parts[at : at + 1] != Path(cluster).parts[at : at + 1]
    return bool(folders & (theirs - own)) and not folders & (own - theirs)


def lying(files: Files, cluster: str, others: Iterable[str]) -> list[MachineConfiguration]:
    """Machine configurations and patches that lie in a repository, as one: which belong to which machine is not said.

    Those that lie nearer to one of the `others`, clusters of the same repository, than to this one are that one's.
    """
    found = []
    for file in files.mentioning(*_MARKS, templates=True):
        shown = Path(files.shown(file))
        if is_unused(files, file) or is_of_another(shown, cluster, others) or not is_near(shown, cluster, others):
            continue
        try:
            documents = parse(_TAGS.sub(_blank, text_of(file)))
        except UnreadableError:
            continue
        for document in documents:
            data = document.data
            if isinstance(data, Mapping) and {"machine", "cluster"} & set(data) and set(data) <= _MAIN:
                found.append(Manifest(data, str(file), document.line))
    return [MachineConfiguration("of the repository", "", tuple(found), whole=False)] if found else []


_MARKS = (b"coreDNS", b"serviceSubnets", b"clusterDNS", b"registries", b"admissionControl")
_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)  # of jinja, minijinja and gomplate


def _blank(tag: re.Match[str]) -> str:
    """What stands for a tag, on as many lines: a value that nobody knows, or nothing for a statement."""
    return "\n" * tag[0].count("\n") if tag[0].startswith(("{%", "{#")) else "unknown" + "\n" * tag[0].count("\n")


def units(model: Model) -> Iterator[Unit]:
    """What Talos applies by itself once the API server answers."""
    machine = control_plane(model)
    if machine is not None:
        merged = Merged(machine.patches)
        members = [*_own(machine, merged), *_inline(merged)]
        yield Unit(
            TALOS, TALOS._replace(milestone=Milestone.READY), Atomicity.TALOS, _place(model, merged), members=members
        )


def _place(model: Model, merged: Merged) -> Place:
    return merged.patches[0].place() if merged.patches else model.at("talos")


def _own(machine: MachineConfiguration, merged: Merged) -> Iterator[Manifest]:
    """CoreDNS, flannel and kube-proxy, where they are not switched off. Of loose patches only what they switch on is known."""
    disabled = merged.last("cluster", "coreDNS", "disabled")
    if not (disabled and disabled.value is True) and (machine.whole or machine.generated or disabled):
        at = disabled.place if disabled else None
        yield from (_made(data, merged, at) for data in _coredns(merged))
    cni = merged.last("cluster", "network", "cni", "name")
    if machine.whole and (cni is None or cni.value == "flannel"):
        yield from (_made(data, merged, cni.place if cni else None) for data in _flannel())
    if machine.whole and not merged.is_set("cluster", "proxy", "disabled"):
        yield _made(_object("apps/v1", "DaemonSet", "kube-proxy", spec=_pods("kube-proxy")), merged, None)


def _made(data: Mapping[str, Any], merged: Merged, place: Place | None) -> Manifest:
    at = place or merged.patches[0].place("cluster")
    return Manifest(data, at.file, at.line, at.path)


def _object(version: str, kind: str, name: str, **content: Any) -> dict[str, Any]:
    meta = {"name": name} if kind.startswith("ClusterRole") else {"name": name, "namespace": "kube-system"}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **content}


def _pods(app: str) -> dict[str, Any]:
    labels = {"k8s-app": app}
    pod = {"hostNetwork": True, "containers": [], "tolerations": [{"operator": "Exists"}]}
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}


def _coredns(merged: Merged) -> Iterator[dict[str, Any]]:
    domain = merged.last("cluster", "network", "dnsDomain")
    address = next(merged.items("machine", "kubelet", "clusterDNS"), None)
    pod = {"serviceAccountName": "coredns", "dnsPolicy": "Default", "containers": [], "tolerations": _TOLERATIONS,
           "volumes": [{"name": "config-volume", "configMap": {"name": "coredns"}}]}  # fmt: skip
    template = {"metadata": {"labels": _LABELS}, "spec": pod}
    yield _object("v1", "ServiceAccount", "coredns")
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRole", "system:coredns")
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "system:coredns")
    yield _object(
        "v1",
        "ConfigMap",
        "coredns",
        data={"Corefile": _COREFILE.replace("DOMAIN", str(domain.value) if domain else "cluster.local")},
    )
    yield _object("apps/v1", "Deployment", "coredns", spec={"selector": {"matchLabels": _LABELS}, "template": template})
    service = {
        "clusterIP": str(address.value) if address else _address(merged),
        "selector": _LABELS,
        "ports": [{"port": 53}],
    }
    yield _object("v1", "Service", "kube-dns", spec=service)


def _address(merged: Merged) -> str:
    """The address that Talos gives to the cluster's DNS: the tenth of the Services' network."""
    for entry in merged.items("cluster", "network", "serviceSubnets"):
        try:
            return str(ipaddress.ip_network(str(entry.value), strict=False)[10])
        except (ValueError, IndexError):
            continue
    return "10.96.0.10"


def _flannel() -> Iterator[dict[str, Any]]:
    yield _object("v1", "ServiceAccount", "flannel")
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRole", "flannel")
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "flannel")
    yield _object("v1", "ConfigMap", "kube-flannel-cfg")
    yield _object("apps/v1", "DaemonSet", "kube-flannel", spec=_pods("flannel"))


def _inline(merged: Merged) -> Iterator[Manifest]:
    for entry in merged.items("cluster", "inlineManifests"):
        contents = entry.value.get("contents") if isinstance(entry.value, Mapping) else None
        try:
            documents = parse(contents) if isinstance(contents, str) else []
        except UnreadableError:
            continue  # talosctl rejects it before anything is created
        for document in documents:
            for found in manifests(document, Path(entry.place.file), NOWHERE):
                yield Manifest(found.data, entry.place.file, entry.place.line, entry.place.path)


# As Talos writes it; only DOMAIN is the cluster's.
_COREFILE = """\
.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes DOMAIN in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    forward . /etc/resolv.conf
}
"""
