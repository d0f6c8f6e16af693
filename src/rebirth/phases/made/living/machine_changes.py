"""What is different about a machine that is configured already, and what becomes of it.

Whether Talos applies a configuration at once or with a reboot Talos itself says, in its own dry run. Some of what it takes it
does not act upon any more once there is a cluster: that is known here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from rebirth.castle import Machine
from rebirth.errors import understood
from rebirth.phases.made.machine_patches import Wanted
from rebirth.providers.talos import MachineConfiguration, Talosctl
from rebirth.run.change import Change, How, undone
from rebirth.run.facts import NodeKeyMinted, SecretsResolved
from rebirth.secrets import Secret

Documents = Mapping[str, Any]
_TAILSCALE = "ExtensionServiceConfig/tailscale"
_KEY = "TS_AUTHKEY="
_IMAGES = re.compile(r"(cluster\.\w+|machine\.kubelet)\.image$")

# What Talos takes and does not act upon, or what everything else was made with: path of the configuration -> why.
_FOR_GOOD = {
    "machine.type": "a machine keeps its role",
    "machine.install": "the system is on its disk already",
    "machine.kubelet.clusterDNS": "every pod has the address of cluster DNS",
    "machine.token": "the machine was made with other credentials",
    "machine.ca": "the machine was made with other credentials",
    "cluster.id": "the cluster was made with other credentials",
    "cluster.secret": "the cluster was made with other credentials",
    "cluster.clusterName": "machines, certificates and keys have the castle's name",
    "cluster.controlPlane": "certificates, kubeconfigs and every node have the endpoint",
    "cluster.network": "nodes, pods and Services have their addresses and names from it",
    "cluster.coreDNS": "Talos does not remove what it has deployed",
    "cluster.proxy.disabled": "Talos does not remove what it has deployed",
    "UserVolumeConfig": "a volume stays as it was made",
    "HostnameConfig": "the node has its name",
    _TAILSCALE: "a device keeps the tags and the key that it joined the tailnet with",
}
# Which part of castle.yaml a part of the configuration comes from; the longest that fits counts.
_SETTINGS = {
    "machine.network": "machines",
    "machine.network.nameservers": "machines.nameservers",
    "machine.time": "machines.ntp",
    "machine.nodeLabels": "machines",
    "machine.nodeTaints": "machines",
    "machine.nodeAnnotations": "machines",
    "machine.type": "machines.nodes",
    "machine.kubelet.clusterDNS": "kubernetes.cluster_dns",
    "machine.kubelet.extraMounts": "storage",
    "machine.kubelet.image": "kubernetes.version",
    "machine.install": "machines",
    "machine.install.image": "talos.version",
    "machine.registries.mirrors": "talos.registry_mirrors",
    "machine.registries.config": "engine.pull_secrets",
    "cluster.clusterName": "name",
    "cluster.controlPlane": "kubernetes.endpoint",
    "cluster.network.cni": "kubernetes.cni",
    "cluster.network.podSubnets": "kubernetes.pod_network",
    "cluster.network.serviceSubnets": "kubernetes.service_network",
    "cluster.network.dnsDomain": "kubernetes.cluster_domain",
    "cluster.apiServer.certSANs": "kubernetes.cert_sans",
    "cluster.apiServer.extraArgs": "kubernetes.service_account",
    "cluster.coreDNS": "engine.coredns",
    "cluster.proxy.disabled": "kubernetes.kube_proxy",
    "cluster.etcd": "machines.network",
    "cluster.allowSchedulingOnControlPlanes": "machines.schedulable_control_planes",
    "UserVolumeConfig": "machines",
    "HostnameConfig": "machines",
    _TAILSCALE: "tailscale.node_key",
}
_LOGIN = re.compile(r"machine\.registries\.config\b.*\.auth\b")  # containerd reads it when it starts


@dataclass(frozen=True)
class Ahead:
    """What castle.yaml has in store for a machine that has a configuration already. No changes: it has this one."""

    machine: Machine
    configuration: MachineConfiguration
    changes: tuple[Change, ...]

    @property
    def reboots(self) -> bool:
        return any(change.how is How.REBOOT for change in self.changes)

    @property
    def undone(self) -> list[Change]:
        """Why it keeps the one that it has."""
        return undone(self.changes)


async def generated(
    wanted: Wanted, machine: Machine, secrets: SecretsResolved, minted: NodeKeyMinted | None, talosctl: Talosctl
) -> MachineConfiguration:
    """The machine's whole configuration, valid by itself."""
    made = await talosctl.generate(
        kind=machine.role,
        cluster=wanted.identity.name,
        endpoint=wanted.kubernetes.endpoint,
        kubernetes=wanted.kubernetes.version,
        installer=wanted.talos.installer_of(machine, wanted.machines),
        talos=wanted.talos.version,
        patches=wanted.patches(machine, secrets, minted),
    )
    await talosctl.validate(configuration=made, machine=machine.name)
    return made


async def ahead(wanted: Wanted, machine: Machine, secrets: SecretsResolved, talosctl: Talosctl) -> Ahead:
    """Asks the machine. Raises NotYet where it does not answer."""
    address = str(machine.address)
    has = documents(await talosctl.configuration(address=address))
    made = await generated(wanted, machine, secrets, _its_key(has), talosctl)
    gets = documents(made)
    paths = list(_differing(has, gets))
    if not paths:
        return Ahead(machine, made, ())
    said = await talosctl.rehearse(configuration=made, address=address, machine=machine.name)
    if said.same:
        return Ahead(machine, made, ())
    runs = await talosctl.version(address=address) if "machine.install.image" in paths else ""
    how = How.REBOOT if said.reboots or any(map(_LOGIN.match, paths)) else How.NOW
    changes = [_change(path, how, machine, has, gets, runs, wanted) for path in paths]
    if undone(changes):
        changes = [change if not change.how.is_done else _held_back(change) for change in changes]
    return Ahead(machine, made, tuple(changes))


def _held_back(change: Change) -> Change:
    why = f"{change.why}: waits for the others, since a configuration is applied as a whole"
    return replace(change, how=How.REFUSED, why=why)


async def has(configuration: MachineConfiguration, machine: Machine, talosctl: Talosctl) -> bool:
    """Whether the machine has this one now."""
    return documents(await talosctl.configuration(address=str(machine.address))) == documents(configuration)


def documents(configuration: MachineConfiguration) -> Documents:
    """By kind and name; the one without a kind is the machine's own."""
    with understood("talosctl", "read a machine configuration", "talosctl on PATH"):
        found = [document for document in yaml.safe_load_all(configuration.text) if document]
        return {_name(document): document for document in found}


def _name(document: Mapping[str, Any]) -> str:
    return "/".join(str(document[key]) for key in ("kind", "name") if key in document)


def _its_key(has: Documents) -> NodeKeyMinted | None:
    """The tailnet key that the machine was given, which stays."""
    environment = has.get(_TAILSCALE, {}).get("environment") or ()
    given = next((line.removeprefix(_KEY) for line in environment if line.startswith(_KEY)), None)
    return NodeKeyMinted(Secret(given), "") if given is not None else None


def _differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Paths at which two configurations are not the same; never what stands there."""
    if isinstance(one or other, Mapping) and isinstance(other or one, Mapping):
        old, new = one or {}, other or {}
        for key in dict.fromkeys((*old, *new)):
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))
    elif one != other:
        yield path


def _change(
    path: str, how: How, machine: Machine, has: Documents, gets: Documents, runs: str, wanted: Wanted
) -> Change:
    what, setting = f"machine {machine.name}", _longest(_SETTINGS, path) or _patched(wanted, machine)
    if _IMAGES.match(path):
        return _kubernetes(what, path, has, gets)
    if path == "machine.install.image":
        return _talos(what, machine, runs, wanted, how)
    if why := _longest(_FOR_GOOD, path):
        return Change(what, How.REBIRTH, f"{path}: {why}", setting)
    return Change(what, how, path, setting)


def _longest(table: Mapping[str, str], path: str) -> str:
    fits = [key for key in table if path == key or path.startswith((f"{key}.", f"{key}/"))]
    return table[max(fits, key=len)] if fits else ""


def _patched(wanted: Wanted, machine: Machine) -> str:
    """What nothing else says, a patch of the castle's own does: which of several, only it knows."""
    for where in wanted.talos.patches_for(machine):
        if where[0] == "talos":
            return f"talos.{where[1]}"
    return "talos.patches"


def _kubernetes(what: str, path: str, has: Documents, gets: Documents) -> Change:
    old, new = (_version(_at(one, path)) for one in (has, gets))
    text = f"{path}: {old or 'another image'} becomes {new}"
    hint = f"upgrades go through `talosctl upgrade-k8s --to {new.removeprefix('v')}`, which takes one component after the other"
    return Change(what, How.REFUSED, f"{text}: {hint}", "kubernetes.version")


def _talos(what: str, machine: Machine, runs: str, wanted: Wanted, how: How) -> Change:
    image, version = wanted.talos.installer_of(machine, wanted.machines), wanted.talos.version
    if runs == version:
        return Change(what, how, f"machine.install.image: Talos {version} runs already", "talos.version")
    text = f"Talos {runs or 'of another version'} runs, and {version} has to be installed"
    hint = f"one machine after the other: `talosctl upgrade --nodes {machine.address} --image {image}`"
    return Change(what, How.REFUSED, f"{text}, {hint}", "talos.version")


def _version(image: Any) -> str:
    """The tag of an image, without a digest behind it."""
    return str(image or "").partition("@")[0].rpartition(":")[2]


def _at(found: Documents, path: str) -> Any:
    value: Any = found.get("")
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
