"""What pods ask for, against what a castle's machines have."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods, selectors
from rebirth.proof.reading.manifest import Model

if TYPE_CHECKING:
    from rebirth.castle.machines import Machine

_QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)([a-zA-Z]*)$")
_FACTORS = {
    "": 1.0, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip
_MIB = float(1 << 20)
# What Talos, the kubelet and its eviction threshold keep for themselves.
_KEPT_MIB, _KEPT_CORES = 512.0, 0.1
_HOST = "kubernetes.io/hostname"
_CONTROL_PLANE = {"node-role.kubernetes.io/control-plane", ""}


def read(model: Model, graph: Graph) -> None:
    """Only with a castle: else nobody says how large the machines are."""
    if model.castle is None:
        return
    machines = model.castle.machines.nodes
    total_cores = total_mib = 0.0
    for found in pods.every(model):
        if not found.replicas or found.manifest.kind in {"Job", "CronJob"}:
            continue
        fitting = _fitting(found, machines)
        cores, mib = _requests(found)
        count = len(fitting) if found.manifest.kind == "DaemonSet" else found.replicas
        total_cores, total_mib = total_cores + cores * count, total_mib + mib * count
        _one(found, fitting, cores, mib, graph)
        _apart(found, len(fitting), graph)
    _all(model, total_cores, total_mib, graph)
    _volumes(model, machines, graph)


def quantity(value: object) -> float:
    """A Kubernetes quantity as a number; 0 where it is none."""
    match = _QUANTITY.match(str(value))
    return float(match[1]) * _FACTORS.get(match[2], 0.0) if match else 0.0


def _requests(found: pods.Pods) -> tuple[float, float]:
    """Cores and MiB that the scheduler counts for one pod: all containers together, or the largest init container."""
    sums, largest = [0.0, 0.0], [0.0, 0.0]
    for part, _, container in found.containers():
        resources = container.get("resources")
        asked = _resources(resources if isinstance(resources, Mapping) else {})
        if part == "containers" or container.get("restartPolicy") == "Always":
            sums = [one + more for one, more in zip(sums, asked, strict=True)]
        else:
            largest = [max(one, other) for one, other in zip(largest, asked, strict=True)]
    return max(sums[0], largest[0]), max(sums[1], largest[1]) / _MIB


def _resources(resources: Mapping[str, Any]) -> tuple[float, float]:
    limits, requests = resources.get("limits"), resources.get("requests")
    # A limit without a request is a request, too.
    asked = {**(limits if isinstance(limits, Mapping) else {}), **(requests if isinstance(requests, Mapping) else {})}
    return quantity(asked.get("cpu", 0)), quantity(asked.get("memory", 0))


def _fitting(found: pods.Pods, machines: "list[Machine]") -> "list[Machine]":
    """The machines that pods without a toleration may run on: Talos keeps them from control planes."""
    tolerates = any(
        isinstance(one, Mapping)
        and (str(one.get("key") or "") in _CONTROL_PLANE)
        and (one.get("key") or one.get("operator") == "Exists")
        for one in _list(found.spec.get("tolerations"))
    )
    workers = [machine for machine in machines if machine.role == "worker"]
    return list(machines) if tolerates or not workers else workers


def _one(found: pods.Pods, fitting: "list[Machine]", cores: float, mib: float, graph: Graph) -> None:
    place = found.place("containers")
    most_cores = max(machine.cores for machine in fitting) - _KEPT_CORES
    most_mib = max(machine.memory_mib for machine in fitting) - _KEPT_MIB
    if cores > most_cores:
        words = f"one pod of {found.thing.label} requests {cores:g} cores, and no machine for it has more than {most_cores:g} free"
        graph.remark("too-large", place, words, found.thing)
    elif mib > most_mib:
        words = f"one pod of {found.thing.label} requests {mib:.0f} MiB, and no machine for it has more than {most_mib:.0f} free"
        graph.remark("too-large", place, words, found.thing)


def _apart(found: pods.Pods, machines: int, graph: Graph) -> None:
    """Replicas that may not stand on one machine."""
    if found.manifest.kind == "DaemonSet" or found.replicas <= machines:
        return
    where = next(_refusals(found), None)
    if where:
        words = f"{found.thing.label} wants {found.replicas} replicas, each on a machine of its own; machines available: {machines}"
        graph.remark("too-many", found.place(*where), words, found.thing)


def _refusals(found: pods.Pods) -> Iterator[tuple[str | int, ...]]:
    path = ("affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    for index, term in enumerate(found.manifest.items(*found.path, "spec", *path)):
        if not isinstance(term, Mapping) or term.get("topologyKey") != _HOST:
            continue
        selector = term.get("labelSelector")
        labels = selector.get("matchLabels") if isinstance(selector, Mapping) else None
        if isinstance(labels, Mapping) and selectors.has(labels, found.labels):
            yield (*path, index)
    for part, index, container in found.containers(init=False):
        for number, port in enumerate(_list(container.get("ports"))):
            if isinstance(port, Mapping) and port.get("hostPort"):
                yield part, index, "ports", number, "hostPort"


def _all(model: Model, cores: float, mib: float, graph: Graph) -> None:
    assert model.castle is not None
    machines = model.castle.machines.nodes
    have_cores = sum(machine.cores - _KEPT_CORES for machine in machines)
    have_mib = sum(machine.memory_mib - _KEPT_MIB for machine in machines)
    if cores > have_cores or mib > have_mib:
        words = f"all pods together request {cores:g} cores and {mib:.0f} MiB; the machines have {have_cores:g} and {have_mib:.0f}"
        graph.remark("too-much", model.at("machines", "nodes"), words)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _volumes(model: Model, machines: "list[Machine]", graph: Graph) -> None:
    """Volumes that Longhorn is told to keep more copies of than there are machines for them."""
    for member, _ in model.objects("StorageClass"):
        wanted = str(member.at("parameters", "numberOfReplicas") or "")
        if member.at("provisioner") == "driver.longhorn.io" and wanted.isdigit() and int(wanted) > len(machines):
            words = f"StorageClass {member.name} keeps {wanted} copies of a volume, and there are only {len(machines)} machines"
            graph.remark("too-many", member.place("parameters", "numberOfReplicas"), words, member.thing())
