"""How far a proof reaches: it says that a bootstrap can finish only where nothing matters that it has not read."""

from collections.abc import Iterator
from enum import StrEnum

from rebirth.proof.graph import Graph
from rebirth.proof.prove import Proof
from rebirth.proof.rules.unknowns import Chance, Unknowns
from rebirth.proof.things import Edge, Extent, Milestone, Need, Thing, Unknown

_WAITS = frozenset({Need.HEALTH, Need.DEPENDS_ON, Need.PHASE})


class Word(StrEnum):
    CAN = "can finish"
    CANNOT = "cannot finish"
    CANNOT_TELL = "cannot tell"


def needed(proof: Proof) -> tuple[str, ...]:
    """What would have to be read to tell whether the bootstrap can finish; nothing where that is told."""
    found = dict.fromkeys(one for world in proof.worlds for one in _mattering(world.graph))
    charts = dict.fromkeys(one.what.rpartition("(chart ")[2].rstrip(")") for one in found if one.extent is Extent.CHART)
    several = len(charts) > 1
    told = (
        [f"the chart{'s' * several} {', '.join(charts)} (`rebirth fetch` gets {'them' if several else 'it'})"]
        if charts
        else []
    )
    told += [f"{one.what} ({one.why})" for one in found if one.extent is not Extent.CHART]
    told += [
        f"the folder that Flux is pointed at (--cluster): {one.words}" for one in proof.graph.marked("little-read")
    ]
    return tuple(told)


def _mattering(graph: Graph) -> Iterator[Unknown]:
    """The unknowns that something waits for, or that are likely to make what nothing else makes.

    Of a chart that is known in part what others need is known: it matters only for what is missing.
    """
    users = graph.needed_by()
    unknowns = graph.about(Unknowns)
    missing = [(thing, users.get(thing, ())) for thing in graph.missing()]
    for one in graph.unknowns:
        if one.listed and (
            (not one.partly and _is_waited_for(one, users))
            or any(unknowns.of(one, thing, use) is Chance.FAIR for thing, uses in missing for use in uses)
        ):
            yield one


def _is_waited_for(unknown: Unknown, users: dict[Thing, list[Edge]]) -> bool:
    if unknown.by is None:
        return False
    ready = unknown.by._replace(milestone=Milestone.READY)
    return any(edge.need in _WAITS and edge.by.label != ready.label for edge in users.get(ready, ()))
