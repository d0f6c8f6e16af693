"""A worker is given what only a control plane may have.

What it finds:
    `cluster.etcd`, a CA's key, or access of pods to Talos' API in the configuration of a worker: from a patch for all machines,
    one for workers, or one of the machine itself.

Why it cannot work:
    Talos rejects such a configuration. talosctl validates it before it is sent, so the worker is never configured.

Example:
    `talos.patches` with `cluster: {etcd: {...}}`, in a castle with workers.

Instead:
    Name the patch under `talos.control_plane_patches`, or under `patches` of a control plane in `machines.nodes`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r75_control_planes_only(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("control-planes-only"):
        yield Finding(
            "R75",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Talos rejects the configuration of a worker with this setting, so the machine is never configured.",
            instead="Name the patch under talos.control_plane_patches instead: workers do not get it there.",
        )
