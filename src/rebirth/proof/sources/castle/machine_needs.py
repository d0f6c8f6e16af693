"""What charts and pods ask of the machines, and what castle.yaml and the machine configurations say of those."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Model, thing
from rebirth.proof.reading.talos import Merged
from rebirth.proof.sources.meeting import RELEASE, pools, within
from rebirth.proof.things import ALWAYS, Milestone, Need, Place, Thing

if TYPE_CHECKING:
    from rebirth.castle import Castle

# What charts do not start without: system extensions, kernel modules.
_EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "longhorn": ("iscsi-tools",),
    "openebs": ("iscsi-tools",),
    "democratic-csi": ("iscsi-tools",),
}
_MODULES: Mapping[str, tuple[str, ...]] = {
    "mayastor": ("nvme_tcp",),
    "rook-ceph-cluster": ("rbd",),
    "piraeus": ("drbd",),
}
# Extensions of which schematics are commonly made; an identifier is the hash of its list.
_COMMON = (
    "amd-ucode", "btrfs", "drbd", "gvisor", "i915", "intel-ucode", "iscsi-tools", "nfs-utils", "qemu-guest-agent",
    "tailscale", "util-linux-tools", "zfs",
)  # fmt: skip
_ID = 64  # digits
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def read(model: Model, graph: Graph) -> None:
    castle = model.castle
    if model.machines and all(machine.whole or machine.generated for machine in model.machines):
        _schedule(model, graph)
    if castle is None or not model.machines:
        return
    _host_needs(model, graph, castle)
    _shared_addresses(model, graph, castle)
    _tailnet(model, graph, castle)


# -- extensions and kernel modules


@cache
def extensions_of(schematic: str) -> tuple[str, ...] | None:
    """The extensions that a schematic of the image factory holds; None where its identifier is no common one."""
    for count in range(len(_COMMON) + 1):
        for chosen in combinations(_COMMON, count):
            if hashlib.sha256(_schematic(chosen).encode()).hexdigest() == schematic:
                return chosen
    return None


def _schematic(extensions: tuple[str, ...]) -> str:
    """The text whose hash names a schematic, as the image factory writes it."""
    if not extensions:
        return "customization: {}\n"
    listed = "".join(f"            - siderolabs/{name}\n" for name in extensions)
    return f"customization:\n    systemExtensions:\n        officialExtensions:\n{listed}"


def _held(castle: "Castle", installer: str) -> tuple[str, ...] | None:
    """The extensions of an installer; None where nobody can tell."""
    from rebirth.castle.hardware import Schematic

    named = castle.talos.schematics(castle.machines)
    lists = {one.id: one.extensions for one in named if isinstance(one, Schematic)}
    default = castle.talos.schematic if isinstance(castle.talos.schematic, str) else castle.talos.schematic.id
    known = next((part for part in installer.replace(":", "/").split("/") if len(part) == _ID), default)
    if known in lists:
        return tuple(name.removeprefix("siderolabs/") for name in lists[known])
    return extensions_of(known)


def _charts(model: Model) -> Iterator[tuple[Thing, str, Place]]:
    """Every chart that is installed: what it makes Ready, its name, and where that is said."""
    for unit in model.units:
        if unit.applied.kind == RELEASE and unit.own is not None:
            yield unit.ready, str(unit.own.at("spec", "chart", "spec", "chart")), unit.own.place()
    for member, _ in model.objects("HelmRelease"):
        reference = str(member.at("spec", "chartRef", "name", default=""))
        name = str(member.at("spec", "chart", "spec", "chart", default=reference))
        yield member.thing(Milestone.READY), name, member.place("spec", "chart", "spec", "chart")


def _host_needs(model: Model, graph: Graph, castle: "Castle") -> None:
    """The installer's schematic is what runs once a machine is installed, whatever image it was booted from."""
    installed = {castle.talos.installer_of(machine, castle.machines) for machine in castle.machines.nodes}
    found = [_held(castle, image) for image in sorted(installed)]
    held = None if None in found else frozenset.intersection(*(frozenset(one or ()) for one in found))
    named = "installer" if castle.talos.installer else "schematic"
    merged = [Merged(machine.patches) for machine in model.machines]
    modules = {
        str(item.value.get("name"))
        for one in merged
        for item in one.items("machine", "kernel", "modules")
        if isinstance(item.value, Mapping)
    }
    for by, chart, place in _charts(model):
        for name in _EXTENSIONS.get(chart, ()):
            needed = thing("system extension", "", name)
            if held is None:
                graph.unknown(
                    f"system extension {name}",
                    model.at("talos", "schematic"),
                    "the schematic is not made of common extensions",
                )
                continue
            graph.wanted(needed)
            graph.where.setdefault(needed, model.at("talos", named))
            graph.needs(by, needed, Need.HOST, place, f"{chart} needs the system extension {name}")
            if name in held:
                graph.given(needed, "the installer's schematic includes it", model.at("talos", named))
        for name in _MODULES.get(chart, ()):
            needed = thing("kernel module", "", name)
            graph.wanted(needed)
            graph.where.setdefault(needed, model.at("talos", "patches"))
            graph.needs(by, needed, Need.HOST, place, f"{chart} needs the kernel module {name}")
            if name in modules:
                graph.given(needed, "machine.kernel.modules names it")


# -- taints


@dataclass(frozen=True, slots=True)
class _Taint:
    key: str
    value: str
    effect: str
    place: Place


# Taints that somebody takes away again: who, by the names of charts and workloads.
_REMOVED: Mapping[str, tuple[str, ...]] = {
    "node.cilium.io/agent-not-ready": ("cilium",),
    "node.cloudprovider.kubernetes.io/uninitialized": (
        "proxmox-cloud-controller-manager",
        "talos-cloud-controller-manager",
        "cloud-controller-manager",
    ),
}


def _taints(model: Model) -> Iterator[tuple[str, list[_Taint]]]:
    """The taints of every machine when it joins."""
    for machine in model.machines:
        merged = Merged(machine.patches)
        found = []
        if machine.role == "controlplane" and not merged.is_set("cluster", "allowSchedulingOnControlPlanes"):
            found.append(_Taint(_CONTROL_PLANE, "", "NoSchedule", machine.patches[0].place()))
        for key, item in merged.pairs("machine", "nodeTaints"):
            value, _, effect = str(item.value).rpartition(":")
            found.append(_Taint(key, value, effect, item.place))
        if merged.is_set("cluster", "externalCloudProvider", "enabled"):
            at = merged.last("cluster", "externalCloudProvider", "enabled")
            found.append(
                _Taint(
                    "node.cloudprovider.kubernetes.io/uninitialized",
                    "true",
                    "NoSchedule",
                    at.place if at else found[0].place,
                )
            )
        yield machine.machine, found


def _schedule(model: Model, graph: Graph) -> None:
    """Pods for which no machine is left because of its taints."""
    machines = dict(_taints(model))
    if not any(all(taint.effect == "PreferNoSchedule" for taint in taints) for taints in machines.values()):
        for found in pods.every(model):
            # A DaemonSet runs where it may, and is content with no machine at all. What stands for an unrendered chart tells no
            # tolerations.
            told = found.manifest.kind != "DaemonSet" and "rebirth/workload" not in found.labels
            if told and found.replicas and found.spec.get("nodeName") is None:
                _placed(found, machines, graph, model)


def _placed(found: pods.Pods, machines: Mapping[str, list[_Taint]], graph: Graph, model: Model) -> None:
    tolerations = [one for one in found.spec.get("tolerations") or [] if isinstance(one, Mapping)]
    left = {
        name: [t for t in taints if t.effect != "PreferNoSchedule" and not _tolerated(t, tolerations)]
        for name, taints in machines.items()
    }
    if any(not taints for taints in left.values()):
        return
    # The machine with the fewest taints in the way; what is taken away again is waited for.
    _, taints = min(left.items(), key=lambda item: (len([t for t in item[1] if t.key not in _REMOVED]), len(item[1])))
    for taint in taints:
        gone = thing("machine without the taint", "", taint.key, Milestone.READY)
        graph.where.setdefault(gone, taint.place)
        graph.needs(
            found.thing, gone, Need.NODE, found.place("tolerations") if tolerations else found.place(), scope=ALWAYS
        )
        if gone not in graph.made:
            graph.wanted(gone)
            for remover, place in _removers(model, taint.key):
                graph.makes(remover, gone, place, f"removes the taint {taint.key}", need=Need.NODE, scope=ALWAYS)


def _removers(model: Model, key: str) -> Iterator[tuple[Thing, Place]]:
    names = _REMOVED.get(key, ())
    for found in pods.every(model):
        if any(name in found.manifest.name for name in names):
            yield found.thing, found.manifest.place("metadata", "name")


def _tolerated(taint: _Taint, tolerations: list[Mapping[str, Any]]) -> bool:
    for one in tolerations:
        key, operator = str(one.get("key") or ""), str(one.get("operator") or "Equal")
        if one.get("effect") not in {None, "", taint.effect} or (key and key != taint.key):
            continue
        if operator == "Exists" or (key and str(one.get("value") or "") == taint.value):
            return True
    return False


# -- addresses


def _shared_addresses(model: Model, graph: Graph, castle: "Castle") -> None:
    """Addresses that a pool gives away and that are taken already."""
    taken = {
        node.address: (f"the machine {node.name}", model.at("machines", "nodes", index))
        for index, node in enumerate(castle.machines.nodes)
    }
    taken[castle.machines.gateway] = ("the gateway", model.at("machines", "gateway"))
    if shared := castle.machines.shared_address:
        taken[shared] = ("the shared address of the control planes", model.at("machines", "shared_address"))
    for address in castle.machines.nameservers:
        taken.setdefault(address, ("a nameserver", model.at("machines", "nameservers")))
    for member, at, (first, last) in pools(model):
        for address, (whose, place) in taken.items():
            if within(address, first, last):
                words = f"{member.kind} {member.name} hands out {address}, which is taken by {whose}"
                graph.remark("pool-overlaps", at, words, member.thing(), file=place.file)


# -- the tailnet


def _tailnet(model: Model, graph: Graph, castle: "Castle") -> None:
    if castle.tailscale is None:
        return
    key, nodes = castle.tailscale.node_key, castle.machines.nodes
    if not key.reusable and len(nodes) > 1:
        words = f"{len(nodes)} machines log in with one key, which is not reusable"
        graph.remark("key-not-reusable", model.at("tailscale", "node_key", "reusable"), words)
    for node in nodes:
        if node.name not in castle.tailscale.names:
            words = f"the machine {node.name} takes this name on the tailnet, and tailscale.names does not free it"
            graph.remark("name-not-freed", model.at("tailscale", "names"), words)
    for member, _ in model.objects("HelmRelease"):
        hostname = member.at("spec", "values", "operatorConfig", "hostname")
        if isinstance(hostname, str) and hostname not in castle.tailscale.names:
            words = f"the operator of {member.thing().label} takes the name {hostname} on the tailnet, and tailscale.names does not free it"
            graph.remark("name-not-freed", model.at("tailscale", "names"), words, member.thing())
