"""dependsOn that closes a cycle, names itself, or names nothing.

What it finds:
    A Flux Kustomization or HelmRelease whose `dependsOn` leads back to itself, or names an object that nothing makes. A release of a
    helmfile that `needs` one which the helmfile does not have.

Why it cannot work:
    Flux applies a Kustomization only when everything that it depends on is Ready. In a cycle none is ever first, and an
    object that does not exist is never Ready; Flux retries forever and reports "dependency not ready".

Example:
    infrastructure depends on apps, and apps on infrastructure (fluxcd/kustomize-controller#1712).

Instead:
    Remove one of the edges. Move what both need into a third Kustomization.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.rules.unknowns import Chance, Unknowns
from rebirth.proof.things import Edge, Milestone, Need

_KINDS = {"Kustomization", "HelmRelease", "ResourceSet"}


def _is_order(edge: Edge) -> bool:
    """A declared order, or a step inside one node."""
    return edge.need in {Need.DEPENDS_ON, Need.HEALTH} or edge.by.label == edge.needs.label


def r13_depends_on(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        if all(edge.by.kind in _KINDS and _is_order(edge) for edge in cycle.edges):
            start = cycle.cheapest
            chain = cycle.turned(start)
            yield Finding(
                "R13",
                Severity.ERROR,
                f"dependsOn closes a cycle: {tell(chain)}",
                start.place,
                chain,
                why="Each waits for the other to be Ready, so none is ever applied.",
                instead="Remove one of these dependencies.",
                cut=cycle.cut(start),
                closed=True,
                also=cycle.others,
                cause=cycle.cause,
            )
    for remark in graph.marked("helmfile-needs"):
        yield Finding(
            "R13",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="helmfile ends before it installs anything, and so does what is run before Flux.",
            instead="Correct the name or its namespace, or remove the need.",
        )
    missing = set(graph.missing())
    unknowns = graph.about(Unknowns)
    unlisted = {remark.about.label: remark["file"] for remark in graph.marked("orphan") if remark.about}
    for edge in graph.of_need(Need.DEPENDS_ON):
        target = edge.needs._replace(milestone=Milestone.EXISTS)
        if target in missing:
            flux = target.kind in _KINDS or graph.whole  # anything else may be placed by hand
            yield Finding(
                "R13",
                Severity.ERROR if flux and unknowns.chance(target, [edge]) is not Chance.FAIR else Severity.WARNING,
                f"{edge.by.label} depends on {edge.needs.label}, which nothing makes",
                edge.place,
                (edge,),
                why="An object that does not exist is never Ready.",
                instead="Correct the name or its namespace, or remove the dependency.",
                cause=unlisted.get(target.label, target.label),
            )
