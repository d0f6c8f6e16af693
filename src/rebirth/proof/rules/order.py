"""Which unit applies what, and which order is declared between units: by dependsOn, by waiting, and because a unit's own object
is applied by another one. What only use implies does not count.
"""

from functools import cache
from typing import NamedTuple

from rebirth.proof.graph import Graph
from rebirth.proof.things import Milestone, Need, Thing

UNITS = frozenset({"Kustomization", "HelmRelease", "phase", "Helm release"})
_DECLARED = frozenset({Need.DEPENDS_ON, Need.HEALTH, Need.APPLIED_BY, Need.PHASE})


class UnitName(NamedTuple):
    kind: str
    namespace: str
    name: str

    @property
    def label(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Order:
    """Questions about the declared order of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.before = cache(self._before)
        self.units = cache(self._units)

    def applied_by(self, thing: Thing) -> tuple[UnitName, ...]:
        """The units that apply the object which `thing` is about."""
        existing = thing._replace(milestone=Milestone.EXISTS)
        return tuple(
            dict.fromkeys(
                _unit(edge.needs)
                for edge in self.graph.makers(existing)
                if edge.need is Need.APPLIED_BY and edge.needs.kind in UNITS
            )
        )

    def owner(self, unit: UnitName) -> UnitName | None:
        """The Kustomization that applies a unit: itself, or that of a HelmRelease."""
        if unit.kind == "Kustomization":
            return unit
        applied = self.applied_by(Thing(*unit, Milestone.EXISTS)) if unit.kind == "HelmRelease" else ()
        return next((one for one in applied if one.kind == "Kustomization"), None)

    def _units(self, thing: Thing) -> tuple[UnitName, ...]:
        """The units without which `thing` is not made: those that apply it, or what makes it."""
        pending, seen, found = [thing], {thing}, dict[UnitName, None]()
        while pending:
            at = pending.pop()
            if at.kind in UNITS and at.milestone is not Milestone.EXISTS:
                found[_unit(at)] = None
                continue
            if applied := self.applied_by(at):
                found.update(dict.fromkeys(applied))
                continue
            for edge in self.graph.edges.get(at, ()):
                if edge.needs not in seen and (at in self.graph.made or edge.need is Need.APPLIED_BY):
                    seen.add(edge.needs)
                    pending.append(edge.needs)
        return tuple(found)

    def _before(self, unit: UnitName) -> frozenset[UnitName]:
        """The units that are declared to have been applied before `unit` applies anything."""
        start = Thing(*unit, Milestone.APPLIED)
        pending, seen = [start, start._replace(milestone=Milestone.STARTED)], {start}
        found: set[UnitName] = set()
        while pending:
            for edge in self.graph.edges.get(pending.pop(), ()):
                if edge.needs in seen or edge.need not in _DECLARED or edge.needs.kind not in UNITS:
                    continue
                seen.add(edge.needs)
                pending.append(edge.needs)
                if edge.needs.milestone is not Milestone.EXISTS and _unit(edge.needs) != unit:
                    found.add(_unit(edge.needs))
        return frozenset(found)

    def is_declared(self, user: UnitName, maker: UnitName) -> bool:
        """Whether `maker` is declared to come first, or is the same."""
        return user == maker or maker in self.before(user)


def _unit(thing: Thing) -> UnitName:
    return UnitName(thing.kind, thing.namespace, thing.name)
