"""What a machine's role forbids, or gives it: settings of control planes on workers, and the label that keeps a node out of load balancing."""

from collections.abc import Mapping

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import MachineConfiguration, Model, thing
from rebirth.proof.reading.talos import Merged, shared_addresses
from rebirth.proof.sources.meeting import pools
from rebirth.proof.things import NOWHERE, Milestone, Place

# Paths that Talos' own validation refuses on a worker: pkg/machinery/config/types/v1alpha1/v1alpha1_validation.go of 1.12.
_CONTROL_PLANES_ONLY = (
    ("cluster", "etcd"),
    ("cluster", "ca", "key"),
    ("machine", "ca", "key"),
    ("machine", "features", "kubernetesTalosAPIAccess", "enabled"),
)


_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


def read(model: Model, graph: Graph) -> None:
    _control_planes_only(model, graph)
    _balanced(model, graph)


def _balanced(model: Model, graph: Graph) -> None:
    """Somebody has to be left to announce the addresses of a pool."""
    excluded = [_excluded(machine) for machine in model.machines if machine.whole]
    announced = [member for member, _, _ in pools(model) if member.kind == "IPAddressPool"]
    if excluded and all(excluded) and announced and not _looks_past(model):
        place = next((place for place in excluded if place and place != NOWHERE), announced[0].place())
        words = f"every machine has the label {_EXCLUDED}: nobody announces the addresses of {announced[0].name}"
        graph.remark("nobody-announces", place, words, announced[0].thing())


def _excluded(machine: MachineConfiguration) -> Place | None:
    """Where the label is said; nowhere where Talos gives it by itself; None where the machine has not got it."""
    found = NOWHERE if machine.role == "controlplane" else None
    for key, item in Merged(machine.patches).pairs("machine", "nodeLabels"):
        if key == _EXCLUDED:
            found = None if isinstance(item.value, Mapping) else item.place
    return found


def _looks_past(model: Model) -> bool:
    """Whether MetalLB is told to ignore the label."""
    installed = [unit.own for unit in model.units if unit.own is not None]
    return any(one.at("spec", "values", "speaker", "ignoreExcludeLB") is True for one in installed)


def _control_planes_only(model: Model, graph: Graph) -> None:
    for machine in model.machines:
        if machine.role != "worker":
            continue
        node, merged = thing("node", "", machine.machine, Milestone.READY), Merged(machine.patches)
        for item in shared_addresses(machine):
            words = f"the worker {machine.machine} gets the shared address of the control planes"
            graph.remark("vip-on-worker", item.place, words, node)
        for path in _CONTROL_PLANES_ONLY:
            found = merged.last(*path)
            deleted = found is not None and isinstance(found.value, Mapping) and "$patch" in found.value
            if found is not None and found.value is not False and not deleted:
                words = f"the worker {machine.machine} gets {'.'.join(path)}, which only a control plane may have"
                graph.remark("control-planes-only", found.place, words, node)
