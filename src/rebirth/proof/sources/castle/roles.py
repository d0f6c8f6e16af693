"""Settings that Talos accepts from control planes only, in the configurations of workers."""

from collections.abc import Mapping

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model, thing
from rebirth.proof.reading.talos import Merged, shared_addresses
from rebirth.proof.things import Milestone

# Paths that Talos' own validation refuses on a worker: pkg/machinery/config/types/v1alpha1/v1alpha1_validation.go of 1.12.
_CONTROL_PLANES_ONLY = (
    ("cluster", "etcd"),
    ("cluster", "ca", "key"),
    ("machine", "ca", "key"),
    ("machine", "features", "kubernetesTalosAPIAccess", "enabled"),
)


def read(model: Model, graph: Graph) -> None:
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
