"""What a proof took as there: nothing that was read makes it, and no finding says that it is missing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rebirth.proof.graph import Graph
from rebirth.proof.rules import Finding
from rebirth.proof.things import Edge, Thing

NOBODY = "nothing here makes it"


@dataclass(frozen=True, slots=True)
class Taken:
    thing: Thing
    why: str  # who has to have made it
    by: Edge | None  # who needs it, and where that is written


def taken(graph: Graph, findings: Iterable[Finding]) -> Iterator[Taken]:
    """In the order in which sources met them, each label once."""
    reported = {thing.label for finding in findings for edge in finding.chain for thing in (edge.by, edge.needs)}
    users = graph.needed_by()
    seen: set[str] = set()
    found = [(thing, NOBODY) for thing in graph.missing()]
    found += [(thing, graph.starts[thing][0]) for thing in graph.starts if thing in graph.outside]
    for thing, why in found:
        # A name with a variable that nobody knows is no name.
        if thing.label not in reported | seen and "${" not in thing.name:
            seen.add(thing.label)
            yield Taken(thing, why, next(iter(users.get(thing, ())), None))
