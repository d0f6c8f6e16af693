"""Which unit needs which: phases, Kustomizations and releases, without what lies between them."""

from collections import deque
from collections.abc import Collection

from rebirth.proof.cycles import walk_back
from rebirth.proof.graph import Graph
from rebirth.proof.things import Edge, Milestone, Scope, Thing

_COURSE = (Milestone.STARTED, Milestone.APPLIED, Milestone.READY)  # how far a unit comes


def direct(graph: Graph, unit: Thing, units: Collection[str]) -> dict[str, tuple[Edge, ...]]:
    """The units that `unit` needs without a third between, each with the shortest chain to it; of several makers, all.

    Read off the edges alone: it is the same whether or not anything can become true.
    """
    begin = [thing for step in _COURSE if (thing := unit._replace(milestone=step)) in graph.edges]
    came: dict[Thing, Edge | None] = dict.fromkeys(begin)
    found: dict[str, tuple[Edge, ...]] = {}
    queue = deque(begin)
    while queue:
        for edge in graph.edges[queue.popleft()]:
            needs = edge.needs
            if needs in came or not edge.scope & Scope.FIRST_BOOT:
                continue
            came[needs] = edge
            if needs.milestone is Milestone.EXISTS or needs.label not in units:  # its object is made by another
                queue.append(needs)
            elif needs.label not in found and needs.label != unit.label:
                chain = walk_back(came, needs)
                found[needs.label] = tuple(link for link in chain if link.by.label != link.needs.label)
    return found
