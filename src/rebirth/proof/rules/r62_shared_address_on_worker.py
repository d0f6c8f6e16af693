"""A worker is given the shared address of the control planes.

What it finds:
    A `vip` of an interface, or a Layer2VIPConfig, in the configuration of a worker. Every patch under `talos.patches` goes
    to every machine.

Why it cannot work:
    Talos rejects such a configuration: a shared address is only for control planes. The machine stays in maintenance mode.

Example:
    One patch file with the shared address, applied to all machines.

Instead:
    Say `machines.shared_address` instead of a patch: only control planes get it. Or name the patch under
    `talos.control_plane_patches`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r62_shared_address_on_worker(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("vip-on-worker"):
        yield Finding(
            "R62",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Talos rejects the configuration of a worker with a shared address, so the machine is never configured.",
            instead="Name the patch under talos.control_plane_patches instead of talos.patches: workers do not get it there.",
        )
