"""Things that need each other in a cycle, of a form that no other rule has a name for.

What it finds:
    A chain of needs that ends where it began, across any files: a Kustomization that waits for a Secret which an operator
    makes that the Kustomization itself brings, and the like.

Why it cannot work:
    Each link becomes true only after the next one, and so after itself. Controllers retry forever, and each reports that it
    waits for another.

Example:
    A Kustomization waits for the health of an object that is applied by a Kustomization which depends on the first.

Instead:
    Cut the cheapest edge; the finding marks it.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.rules.unknowns import Unknowns
from rebirth.proof.things import Need


def r03_cycle(graph: Graph) -> Iterator[Finding]:
    unknowns = graph.about(Unknowns)
    for cycle in graph.cycles():
        if any(unknowns.kept_apart(way.edges) for way in cycle.ways()):
            continue
        chain = cycle.turned(cycle.cheapest)
        yield Finding(
            "R03",
            Severity.WARNING if cycle.has(Need.LIKELY) else Severity.ERROR,
            f"these need each other in a cycle: {tell(chain)}",
            cycle.cheapest.place,
            chain,
            why="Each becomes true only after the next one, and so after itself.",
            instead="Cut one of the links.",
            cut=cycle.cheapest,
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
