"""Cycles: what needs itself, the shortest first, and where each is cheapest to cut."""

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass

from rebirth.proof.things import Edge, Need, Thing

# What it costs to live without an edge: a declared order is a line, a Secret can be placed directly, what an operator does
# for its own objects nobody can change.
_COST = {
    Need.DEPENDS_ON: 1,
    Need.HEALTH: 2,
    Need.SECRET: 3,
    Need.FETCHED: 2,
    Need.CREDENTIAL: 3,
    Need.DECRYPTION: 3,
    Need.STORE: 3,
    Need.VARIABLES: 3,
    Need.VALUES: 3,
    Need.CRD: 4,
    Need.WEBHOOK: 4,
    Need.HOOK: 4,
    Need.ZONE: 5,
    Need.NAME: 5,
    Need.ADDRESS: 4,
    Need.NETWORK: 4,
    Need.NODE: 4,
    Need.IMAGE: 5,
    Need.VOLUME: 5,
}
_DEAREST = 10


@dataclass(frozen=True, slots=True)
class Cycle:
    """Edges that close: each one's `needs` is the next one's `by`."""

    edges: tuple[Edge, ...]
    freeing: tuple[
        Edge, ...
    ]  # those of which one has to be cut, the cheapest first: no cut frees more of what is stuck here
    others: tuple[tuple[Edge, ...], ...] = ()  # more cycles through `cheapest`, which are gone with it

    def has(self, *needs: Need) -> bool:
        return any(edge.need in needs for edge in self.edges)

    @property
    def things(self) -> tuple[Thing, ...]:
        return tuple(edge.by for edge in self.edges)

    @property
    def cheapest(self) -> Edge:
        """The edge that is cheapest to cut."""
        return self.freeing[0]

    @property
    def cause(self) -> str:
        """Where it is best cut: cycles that are cut on one line are one cause."""
        place = self.cheapest.place
        return f"{place.file} {place.line} {place.path}" if place.file else ""

    def cut(self, wish: Edge) -> Edge:
        """The edge to cut: `wish`, if that frees as much as any other."""
        return wish if wish in self.freeing else self.cheapest

    def ways(self) -> Iterator["Cycle"]:
        """Itself, and each of the others in its place: what a rule looks for may stand in any of them."""
        yield self
        for way in self.others:
            rest = (self.edges, *(other for other in self.others if other is not way))
            yield Cycle(way, (self.cheapest,), rest)

    def turned(self, start: Edge) -> tuple[Edge, ...]:
        """The edges, beginning with `start`."""
        at = self.edges.index(start)
        return self.edges[at:] + self.edges[:at]

    def first(self, *needs: Need) -> Edge | None:
        """The first edge of one of those needs."""
        return next((edge for edge in self.edges if edge.need in needs), None)


def walk_back(came: dict[Thing, Edge | None], goal: Thing) -> tuple[Edge, ...]:
    chain: list[Edge] = []
    edge = came[goal]
    while edge:
        chain.append(edge)
        edge = came[edge.by]
    return tuple(reversed(chain))


_Edges = Callable[[Thing, frozenset[Thing]], list[Edge]]
_Without = Callable[[Iterable[Edge]], _Edges]  # the edges that are left when some are cut


def components(among: frozenset[Thing], edges: _Edges) -> Iterator[frozenset[Thing]]:  # noqa: C901 - one algorithm, one loop
    """Strongly connected components that hold a cycle (Tarjan's algorithm, with a stack of its own)."""
    index: dict[Thing, int] = {}
    low: dict[Thing, int] = {}
    stack: list[Thing] = []
    on_stack: set[Thing] = set()
    for root in sorted(among):
        if root in index:
            continue
        work: list[tuple[Thing, Iterator[Edge]]] = [(root, iter(edges(root, among)))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            thing, rest = work[-1]
            if edge := next(rest, None):
                if edge.needs not in index:
                    index[edge.needs] = low[edge.needs] = len(index)
                    stack.append(edge.needs)
                    on_stack.add(edge.needs)
                    work.append((edge.needs, iter(edges(edge.needs, among))))
                elif edge.needs in on_stack:
                    low[thing] = min(low[thing], index[edge.needs])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[thing])
            if low[thing] == index[thing]:
                component = set()
                while thing not in component:
                    component.add(stack[-1])
                    on_stack.discard(stack.pop())
                found = frozenset(component)
                if len(found) > 1 or any(edge.needs == thing for edge in edges(thing, among)):
                    yield found


_STARTS = 200  # of a component from which the shortest cycle is looked for: it is found in smaller ones, near enough in larger


def shortest(component: frozenset[Thing], edges: _Edges) -> tuple[Edge, ...]:
    """The shortest cycle in a component."""
    best: tuple[Edge, ...] = ()
    for start in sorted(component)[:_STARTS]:
        came: dict[Thing, Edge | None] = {start: None}
        queue = deque([(start, 0)])
        while queue:
            thing, depth = queue.popleft()
            if best and depth + 1 >= len(best):
                break
            closing = None
            for edge in edges(thing, component):
                if edge.needs == start:
                    closing = edge
                    break
                if edge.needs not in came:
                    came[edge.needs] = edge
                    queue.append((edge.needs, depth + 1))
            if closing:
                best = (*walk_back(came, thing), closing)
                break
    return best


def plainest(component: frozenset[Thing], edges: _Edges, made: Container[Thing]) -> tuple[Edge, ...]:
    """The shortest cycle that no other maker of a thing in it would end; the shortest of all where there is none such."""

    def alone(thing: Thing, among: frozenset[Thing]) -> list[Edge]:
        found = edges(thing, among)
        return [] if thing in made and len({edge.needs for edge in found}) > 1 else found

    return shortest(component, alone) or shortest(component, edges)


_MOST_WEIGHED = (
    2000  # things of a component in which it is tried out what a cut frees; in larger ones only the price counts
)
_OTHERS = 8  # more cycles through one edge that are looked for


def weighed(edges: tuple[Edge, ...], component: frozenset[Thing], without: _Without) -> Cycle:
    """The cycle, with where it is best cut. Of several cycles that share an edge this is that edge: it is one cause."""
    order = sorted(edges, key=_price)
    wanted = _cuttable(edges)
    if len(component) > _MOST_WEIGHED:
        return Cycle(edges, tuple(edge for edge in order if edge in wanted))
    left = {edge: sum(map(len, components(component, without([edge])))) for edge in order}
    least = min(left[edge] for edge in wanted)
    freeing = sorted((edge for edge in order if left[edge] <= least), key=lambda edge: edge not in wanted)
    return Cycle(edges, tuple(freeing), tuple(_through(freeing[0], edges, component, without)))


def _cuttable(edges: tuple[Edge, ...]) -> list[Edge]:
    """What somebody has written and can take back; not the steps inside one thing (what is Ready has been applied)."""
    between = [edge for edge in edges if edge.by.label != edge.needs.label]
    return [edge for edge in between if edge.need in _COST] or between or list(edges)


def _price(edge: Edge) -> int:
    return _COST.get(edge.need, _DEAREST)


def _through(
    cut: Edge, first: tuple[Edge, ...], component: frozenset[Thing], without: _Without
) -> Iterator[tuple[Edge, ...]]:
    """More cycles through an edge: the shortest, then what is left when that one is cut elsewhere, and so on."""
    gone: list[Edge] = []
    edges = first
    for _ in range(_OTHERS):
        elsewhere = [edge for edge in _cuttable(edges) if (edge.by, edge.needs) != (cut.by, cut.needs)]
        if not elsewhere:
            return
        gone.append(min(elsewhere, key=_price))
        left = next((one for one in components(component, without(gone)) if {cut.by, cut.needs} <= one), None)
        if left is None:
            return
        edges = shortest(left, without(gone))
        if any((edge.by, edge.needs) == (cut.by, cut.needs) for edge in edges):
            yield edges
