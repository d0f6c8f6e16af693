"""Who needs whom, and where that is written.

Most things need all that their edges name. Some are made by somebody, and one maker is enough: those are entered with `makes`.

A bootstrap can finish if every thing can become true in some order. What cannot is found by letting everything become true
that can (`settle`): what is left needs something that nothing makes (`missing`), or needs itself (`cycles`).
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rebirth.proof.cycles import Cycle, components, plainest, walk_back, weighed
from rebirth.proof.things import (
    ALWAYS,
    NOWHERE,
    PERSISTED,
    Edge,
    Holding,
    Milestone,
    Need,
    Place,
    Reading,
    Remark,
    Scope,
    Strength,
    Thing,
    Unknown,
)

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Settled:
    order: tuple[Thing, ...]  # everything that becomes true, makers before what they make
    stuck: frozenset[Thing]


@dataclass(repr=False)
class Graph:
    """Filled by sources through `needs`, `makes`, `given`, `remark` and `unknown`; read by rules."""

    edges: dict[Thing, list[Edge]] = field(default_factory=lambda: defaultdict(list))  # by who needs
    made: dict[Thing, None] = field(default_factory=dict)  # one of their edges is enough; in the order of their entry
    starts: dict[Thing, tuple[str, Place]] = field(default_factory=dict)  # true from the start, and who says so
    outside: set[Thing] = field(default_factory=set)  # those of `starts` that stand in none of the files
    where: dict[Thing, Place] = field(default_factory=dict)  # where a thing is declared
    remarks: list[Remark] = field(default_factory=list)
    unknowns: list[Unknown] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    holdings: dict[Thing, list[Holding]] = field(default_factory=lambda: defaultdict(list))
    recognised: set[Thing] = field(default_factory=set)  # kinds of operators whose charts are known by name
    dated: bool = False  # whether it hangs on today's date
    whole: bool = False  # whether all that is made before and beside the repository is known (a castle), too
    seconds: dict[Thing, float] = field(default_factory=dict)  # how long it takes once all its needs are true
    _cycles: dict[Scope, list[Cycle]] = field(default_factory=dict, repr=False)
    _entered: int = 0  # edges so far
    _kept: dict[Hashable, tuple[Hashable, Any]] = field(
        default_factory=dict, repr=False
    )  # answers, and what they are of

    # -- filling

    def needs(
        self,
        by: Thing,
        needed: Thing,
        need: Need,
        place: Place,
        words: str = "",
        *,
        strength: Strength = Strength.SOFT,
        scope: Scope = Scope.FIRST_BOOT,
        patience: float | None = None,
    ) -> None:
        """`by` cannot become true before `needed` is."""
        self._entered += 1
        self.edges[by].append(Edge(by, needed, need, place, words, strength, scope, patience))
        self.edges.setdefault(needed, [])

    def makes(
        self,
        maker: Thing,
        made: Thing,
        place: Place,
        words: str = "",
        *,
        need: Need = Need.MADE_BY,
        scope: Scope = Scope.FIRST_BOOT,
    ) -> None:
        """`made` becomes true once `maker` is, or another of its makers."""
        self.made[made] = None
        self.where.setdefault(made, place)
        self.needs(made, maker, need, place, words, scope=scope)

    def wanted(self, made: Thing) -> None:
        """`made` has to be made by somebody; without `makes` or `given` it is missing."""
        self.made[made] = None
        self.edges.setdefault(made, [])

    def given(self, thing: Thing, why: str, place: Place = NOWHERE) -> None:
        """True from the start, says `why`."""
        self.edges.setdefault(thing, [])
        self.starts.setdefault(thing, (why, place))

    def assumed(self, thing: Thing, why: str, place: Place = NOWHERE) -> None:
        """True from the start, says `why`, though no file shows it: `check` says that it was taken as there."""
        if thing not in self.starts:
            self.outside.add(thing)
        self.given(thing, why, place)

    def remark(self, slug: str, place: Place, words: str, about: Thing | None = None, **data: str) -> None:
        self.remarks.append(Remark(slug, place, words, about, tuple(data.items())))

    def reads(self, by: Thing, of: Thing, key: str, place: Place, *, beside: str = "") -> None:
        """`by` reads that key, if `beside` is there; the edge to `of` is entered with `needs`."""
        self.readings.append(Reading(by, of, key, place, beside))

    def holds(self, thing: Thing, keys: Iterable[str] | None, place: Place) -> None:
        """A maker of `thing` makes these keys (None: files do not tell)."""
        self.holdings[thing].append(Holding(None if keys is None else frozenset(keys), place))

    def close(self) -> None:
        """To be called when all sources are done: nothing comes further than to exist that does not exist."""
        for thing in list(self.edges):
            bare = thing not in self.made and thing not in self.starts and not self.edges[thing]
            if bare and thing.milestone is not Milestone.EXISTS:
                existing = thing._replace(milestone=Milestone.EXISTS)
                self.wanted(existing)
                self.needs(thing, existing, Need.MADE_BY, NOWHERE)

    def unknown(self, what: str, place: Place, why: str) -> None:
        """Something that files cannot tell, and that makes nothing."""
        self.unknowns.append(Unknown(what, place, why))

    # -- reading

    @property
    def things(self) -> Iterable[Thing]:
        return self.edges.keys()

    def all_edges(self) -> Iterator[Edge]:
        for found in self.edges.values():
            yield from found

    def makers(self, thing: Thing) -> list[Edge]:
        """The edges to those who make `thing`."""
        return self.edges.get(thing, []) if thing in self.made else []

    def needed_by(self) -> dict[Thing, list[Edge]]:
        """The edges turned round: thing -> edges of those who need it. Worked out once; not to be changed."""
        return self._once("needed by", self._needed_by)

    def _needed_by(self) -> dict[Thing, list[Edge]]:
        found: dict[Thing, list[Edge]] = defaultdict(list)
        for edge in self.all_edges():
            found[edge.needs].append(edge)
        return found

    def of_need(self, need: Need) -> list[Edge]:
        """Every edge of that need, in the order in which things were entered. Not to be changed."""
        return self._once("by need", self._by_need).get(need, [])

    def _by_need(self) -> dict[Need, list[Edge]]:
        found: dict[Need, list[Edge]] = defaultdict(list)
        for edge in self.all_edges():
            found[edge.need].append(edge)
        return found

    def users(self, scope: Scope) -> dict[Thing, list[Thing]]:
        """Thing -> who needs it in that scope, once for each edge. Not to be changed."""
        return self._once(("users", scope), lambda: self._counted(scope))[0]

    def _counted(self, scope: Scope) -> tuple[dict[Thing, list[Thing]], dict[Thing, int]]:
        """The users of each thing, and how much each thing needs."""
        users: dict[Thing, list[Thing]] = defaultdict(list)
        counts: dict[Thing, int] = {}
        for thing, edges in self.edges.items():
            count = 0
            for edge in edges:
                if edge.scope & scope:
                    users[edge.needs].append(thing)
                    count += 1
            counts[thing] = count
        return dict(users), counts

    def about(self, questions: Callable[["Graph"], _Answer]) -> _Answer:
        """Questions about this graph, such as `Order`, with the answers that they remember."""
        return self._once(questions, lambda: questions(self))

    def _once(self, question: Hashable, work: Callable[[], _Answer]) -> _Answer:
        """The answer to a question about the whole graph, worked out again only when the graph has changed."""
        state = (self._entered, len(self.edges), len(self.starts), len(self.made))
        kept = self._kept.get(question)
        if kept is None or kept[0] != state:
            self._kept[question] = kept = (state, work())
        found: _Answer = kept[1]
        return found

    def marked(self, *slugs: str) -> Iterator[Remark]:
        return (remark for remark in self.remarks if remark.slug in slugs)

    # -- whether it can finish

    def missing(self, scope: Scope = Scope.FIRST_BOOT) -> list[Thing]:
        """What something needs and nothing makes, in the order in which it was entered."""
        return [*self._once(("missing", scope), lambda: self._missing(scope))]

    def _missing(self, scope: Scope) -> list[Thing]:
        persisted = PERSISTED if scope is Scope.COLD_RESTART else frozenset()
        users, counts = self._once(("users", scope), lambda: self._counted(scope))
        return [
            thing
            for thing, count in counts.items()
            if not count
            and thing in self.made
            and thing not in self.starts
            and thing.milestone not in persisted
            and any(by.milestone not in persisted for by in users.get(thing, ()))
        ]

    def settle(
        self, scope: Scope = Scope.FIRST_BOOT, assume: Iterable[Thing] = (), without: Edge | None = None
    ) -> Settled:
        """Lets everything become true that can. `assume` is taken as true; `without` is an edge that does not count."""
        users, counts = self._once(("users", scope), lambda: self._counted(scope))
        true = dict.fromkeys((*self.starts, *assume))  # ordered: the same again, whatever the hashes are
        if scope is Scope.COLD_RESTART:
            true |= dict.fromkeys(thing for thing in self.edges if thing.milestone in PERSISTED)
        made = self.made
        open_needs = {thing: 1 if thing in made else count for thing, count in counts.items() if thing not in true}
        if without is not None and without.scope & scope:
            users = {**users, without.needs: [*users[without.needs]]}
            users[without.needs].remove(without.by)
            if without.by in open_needs and without.by not in made:
                open_needs[without.by] -= 1
        queue = deque([*true, *(thing for thing, count in open_needs.items() if not count)])
        order: list[Thing] = []
        while queue:
            thing = queue.popleft()
            order.append(thing)
            for user in users.get(thing, ()):
                left = open_needs.get(user, 0)
                if left:
                    open_needs[user] = left - 1
                    if left == 1:
                        queue.append(user)
        return Settled(tuple(order), frozenset(thing for thing, count in open_needs.items() if count))

    def settled(self, scope: Scope = Scope.FIRST_BOOT) -> Settled:
        """As `settle` says where what is missing is taken as true: what is stuck then is stuck for another reason."""
        return self._once(("settled", scope), lambda: self.settle(scope, self.missing(scope)))

    def cycles(self, scope: Scope = Scope.FIRST_BOOT) -> list[Cycle]:
        """What needs itself: each time the shortest cycle that is left; its cheapest edge is then taken as cut.

        So cycles which hang on the same edge are reported once. Worked out when first asked for.
        """
        if scope not in self._cycles:
            self._cycles[scope] = list(self._find_cycles(scope))
        return self._cycles[scope]

    def ways(self, scope: Scope = Scope.FIRST_BOOT) -> Iterator[Cycle]:
        """Every cycle, and after each those that share the edge where it is best cut: one finding is enough for all of them."""
        for cycle in self.cycles(scope):
            yield from cycle.ways()

    def _find_cycles(self, scope: Scope) -> Iterator[Cycle]:
        stuck = self.settled(scope).stuck
        cut: set[int] = set()
        pending = [stuck]
        while pending:
            among = pending.pop()
            for component in components(among, self._inside(scope, cut)):
                if component != among:
                    pending.append(component)  # makers that stand outside of it count now
                    continue
                cycle = self._weighed(component, scope, cut)
                yield cycle
                cut |= self._together(cycle.cheapest)
                pending.append(component)

    def _weighed(self, component: frozenset[Thing], scope: Scope, cut: set[int]) -> Cycle:
        edges = plainest(component, self._inside(scope, cut), self.made)
        return weighed(
            edges, component, lambda gone: self._inside(scope, cut.union(*(self._together(one) for one in gone)))
        )

    def _together(self, edge: Edge) -> set[int]:
        """The edges that are cut with one: a need may be written at several places."""
        return {id(one) for one in self.edges[edge.by] if one.needs == edge.needs and one.need is edge.need}

    def _inside(self, scope: Scope, cut: set[int]) -> Callable[[Thing, frozenset[Thing]], list[Edge]]:
        def edges(thing: Thing, among: frozenset[Thing]) -> list[Edge]:
            found = self.edges[thing]
            if thing in self.made and any(id(edge) in cut for edge in found):
                return []  # one maker has come free
            if thing in self.made and any(edge.scope & scope and edge.needs not in among for edge in found):
                return []  # it waits for a maker that is stuck for another reason: what is in this cycle is not to blame
            return [edge for edge in found if edge.scope & scope and edge.needs in among and id(edge) not in cut]

        return edges

    # -- questions

    def path(self, start: Thing, goal: Thing, scope: Scope = ALWAYS) -> tuple[Edge, ...] | None:
        """The shortest chain of edges by which `start` needs `goal`; None where it does not."""
        came: dict[Thing, Edge | None] = {start: None}
        queue = deque([start])
        while queue:
            thing = queue.popleft()
            if thing == goal and thing != start:
                return walk_back(came, goal)
            for edge in self.edges.get(thing, ()):
                if edge.scope & scope and edge.needs not in came:
                    came[edge.needs] = edge
                    queue.append(edge.needs)
        return None

    def before(self, start: Thing, scope: Scope = Scope.FIRST_BOOT) -> set[Thing]:
        """Everything that `start` needs, directly or through others."""
        nearest = self._once(("nearest", scope), lambda: self._nearest(scope))
        found: set[Thing] = set()
        pending = [start]
        while pending:
            new = nearest.get(pending.pop(), found) - found
            found |= new
            pending += new
        return found

    def _nearest(self, scope: Scope) -> dict[Thing, frozenset[Thing]]:
        """What each thing needs directly."""
        return {
            thing: frozenset(edge.needs for edge in edges if edge.scope & scope)
            for thing, edges in self.edges.items()
            if edges
        }

    def finish_times(self, scope: Scope = Scope.FIRST_BOOT) -> dict[Thing, float]:
        """When each thing becomes true, in seconds from the start, by `seconds`; what is stuck is left out."""
        times: dict[Thing, float] = {}
        for thing in self.settle(scope).order:
            ends = [times[e.needs] for e in self.edges.get(thing, ()) if e.scope & scope and e.needs in times]
            begin = 0.0 if thing in self.starts or not ends else min(ends) if thing in self.made else max(ends)
            times[thing] = begin + self.seconds.get(thing, 0.0)
        return times
