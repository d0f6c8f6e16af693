"""What `init` assumes where nothing says it: defaults of the systems outside, names of ours, the versions that were tried.

Each goes into castle.yaml with the words "assumed", and is listed at the end: nothing is guessed silently.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from rebirth.init.found import Found, Path

_EXTENSIONS = {"longhorn": ("iscsi-tools", "util-linux-tools")}  # chart -> what it needs of Talos


@dataclass(frozen=True)
class Assumed:
    value: Any
    why: str


Rule = Callable[[Found], Assumed | None]


def assumed(found: Found, path: Path) -> Assumed | None:
    """What is usual for a value that a castle needs; None where only the operator can know it."""
    rule = _RULES.get(".".join(path))
    if rule is None and path[-1] in _OF_A_MACHINE:
        value = _OF_A_MACHINE[path[-1]]
        return Assumed(value, "a small machine")
    if isinstance(rule, Assumed):
        return rule
    return rule(found) if rule else None


def reference(path: Path) -> Assumed:
    """The name of a secret: its place is its name."""
    return Assumed({"secret": "-".join((path[-2], path[-1])).replace("_", "-")}, "the file of the vault directory")


def _of_name(form: str, why: str) -> Rule:
    return lambda found: Assumed(form.format(found.get("name")), why) if found.get("name") else None


def _tags(found: Found) -> Assumed | None:
    return Assumed([f"tag:{found.get('name')}"], "must exist in the tailnet's policy") if found.get("name") else None


def _tailnet(found: Found) -> Assumed | None:
    """Of a host below ts.net that the castle reaches."""
    hosts = re.findall(r"[\w-]+\.([\w-]+\.ts\.net)\b", " ".join(str(one.value) for one in found.values.values()))
    return Assumed(hosts[0], "of a host that the castle reaches") if hosts else None


def _store(found: Found) -> Assumed | None:
    name = found.get("engine.store.name")
    return Assumed(name, "the name of the store") if name else None


def _network(found: Found) -> Assumed | None:
    addresses = [str(one["address"]) for one in found.machines().values()] or _counted(found)
    if not addresses:
        return None
    size = 24 if ip_address(addresses[0]).version == 4 else 64
    return Assumed(str(ip_network(f"{addresses[0]}/{size}", strict=False)), f"a /{size} around the first machine")


def _counted(found: Found) -> list[str]:
    """The address of the first control plane, where they are counted."""
    group = found.document().get("machines", {}).get("control_planes", {})
    return [str(group["first_address"])] if "first_address" in group else []


def _gateway(found: Found) -> Assumed | None:
    network = found.get("machines.network")
    return Assumed(str(ip_network(network)[1]), "the first address of the network") if network else None


def _nameservers(found: Found) -> Assumed | None:
    gateway = found.get("machines.gateway")
    return Assumed([gateway], "the gateway answers DNS, too") if gateway else None


def _pool(found: Found) -> Assumed | None:
    network = found.get("machines.network")
    if not network or ip_network(network).num_addresses < 256:
        return None
    first = ip_network(network)[200]
    last = first + 20
    return Assumed([f"{first}-{last}"], "must be free, and outside of DHCP")


def _endpoint(found: Found) -> Assumed | None:
    if shared := found.get("machines.shared_address"):
        return Assumed(f"https://{shared}:6443", "the shared address")
    planes = [str(one["address"]) for one in found.machines().values() if one.get("role") == "controlplane"]
    first = next(iter(planes or _counted(found)), None)
    return Assumed(f"https://{first}:6443", "the first control plane") if first else None


def _schematic(found: Found) -> Assumed:
    """Of the system extensions that the castle's own parts need."""
    needed = set(_EXTENSIONS.get(str(found.get("storage.chart")), ()))
    needed |= {"tailscale"} if found.get("tailscale.tailnet") else set()
    return Assumed({"extensions": sorted(needed)}, "what the castle's own parts need of Talos")


def _provisioner(found: Found) -> Assumed:
    local = "local" in str(found.get("storage.storage_class"))
    chart, other = ("local-path-provisioner", "longhorn") if local else ("longhorn", "local-path-provisioner")
    return Assumed(chart, f"or {other}")


def _of_chart(key: str) -> Rule:
    return lambda found: _STORAGES[str(found.get("storage.chart"))].get(key) if found.get("storage.chart") else None


def _storage_class(found: Found) -> Assumed:
    name = str(found.get("storage.chart") or "longhorn").removesuffix("-provisioner")
    return Assumed(name, "the name that the chart gives it")


def _chart(version: str, repository: str, namespace: str) -> dict[str, Assumed]:
    return {
        "version": Assumed(version, "the version that was tried"),
        "repository": Assumed(repository, "where the chart is published"),
        "namespace": Assumed(namespace, "as its documentation has it"),
    }


def _below(path: str, rules: dict[str, Assumed]) -> dict[str, Assumed]:
    return {f"{path}.{key}": rule for key, rule in rules.items()}


_STORAGES = {
    "longhorn": _chart("1.10.1", "https://charts.longhorn.io", "longhorn-system"),
    "local-path-provisioner": _chart("0.0.30", "https://charts.containeroo.ch", "local-path-storage"),
}
_OF_A_MACHINE = {"cores": 4, "memory_mib": 8192, "disk_gib": 40}
_RULES: dict[str, Rule | Assumed] = {
    "secrets.directory": _of_name("~/secrets/{}", "any folder outside of the repository"),
    "tailscale.tailnet": _tailnet,
    "tailscale.node_key.tags": _tags,
    "proxmox.node": Assumed("pve", "the name that the installer of Proxmox proposes"),
    "proxmox.image_storage": Assumed("local", "as Proxmox is installed"),
    "proxmox.disk_storage": Assumed("local-lvm", "as Proxmox is installed"),
    "proxmox.bridge": Assumed("vmbr0", "as Proxmox is installed"),
    "proxmox.vm_ids.first": Assumed(800, "any range that is free"),
    "proxmox.vm_ids.last": Assumed(899, "any range that is free"),
    "proxmox.tag": _of_name("castle-{}", "marks what is this castle's"),
    "machines.network": _network,
    "machines.gateway": _gateway,
    "machines.nameservers": _nameservers,
    "talos.version": Assumed("v1.12.0", "the version that was tried"),
    "talos.schematic": _schematic,
    "kubernetes.version": Assumed("v1.35.4", "the version that was tried"),
    "kubernetes.endpoint": _endpoint,
    "gitops.branch": Assumed("main", "Git's own default"),
    "gitops.path": _of_name("clusters/{}", "where `flux bootstrap` puts it"),
    "gitops.variables.CLUSTER_NAME": _of_name("{}", "the castle's name"),
    "gitops.variables.CLUSTER_DOMAIN": Assumed("cluster.local", "the default of Kubernetes"),
    "engine.coredns.image": Assumed("registry.k8s.io/coredns/coredns:v1.14.7", "the version that was tried"),
    "engine.vault.mount": Assumed("secret", "Vault's own default"),
    "engine.store.name": Assumed("vault", "any name"),
    "engine.store.token_secret.namespace": Assumed("external-secrets", "any namespace"),
    "engine.store.token_secret.name": Assumed("vault-token", "any name"),
    "engine.store.token_secret.key": Assumed("token", "any key"),
    "networking.cilium.version": Assumed("1.18.4", "the version that the tests have"),
    "networking.pool.name": Assumed("lan", "any name"),
    "networking.pool.addresses": _pool,
    "storage.chart": _provisioner,
    "storage.storage_class": _storage_class,
    **{f"storage.{key}": _of_chart(key) for key in ("version", "repository", "namespace")},
    **_below("networking.metallb", _chart("0.15.2", "https://metallb.github.io/metallb", "metallb-system")),
    **_below("engine.external_secrets", _chart("0.20.4", "https://charts.external-secrets.io", "external-secrets")),
}
