"""A chart needs something of the machines that their configuration does not give.

What it finds:
    A chart that needs a system extension or a kernel module which the machines do not have: the installer's schematic is
    one of common extensions, and this one is not among them; or no `machine.kernel.modules` names the module.

Why it cannot work:
    Talos has no package manager: what is not in the image is missing. The chart's pods crash or wait forever.

Example:
    Longhorn on machines without the iscsi-tools extension (longhorn/longhorn#9558).

Instead:
    Make a schematic with the extension and name it in `talos.schematic` and in the installer; name the module in
    `machine.kernel.modules`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Need


def r08_host_needs(graph: Graph) -> Iterator[Finding]:
    missing = {thing for thing in graph.missing() if thing.kind in {"system extension", "kernel module"}}
    for edge in graph.all_edges():
        if edge.needs in missing and edge.need is Need.HOST:
            yield Finding(
                "R08",
                Severity.ERROR,
                f"{edge.by.label} needs the {edge.needs.label}, which the machines do not have",
                graph.where.get(edge.needs, edge.place),
                (edge,),
                why="What is missing from a Talos image cannot be installed later; the pods crash or wait.",
                instead="Put it into the machines' configuration: a schematic with the extension, or machine.kernel.modules.",
            )
