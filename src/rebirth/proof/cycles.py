"""Cycles: what needs itself, the shortest first, and where each is cheapest to cut."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rebirth.proof.things import Edge, Need, Thing

# What it costs to live without an edge: a declared order is a line, a Secret can be placed directly, what an operator does
# for its own objects nobody can change.
_COST = {
    Need.DEPENDS_ON: 1,
    Need.HEALTH: 2,
    Need.SECRET: 3,
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

    def has(self, *needs: Need) -> bool:
        return any(edge.need in needs for edge in self.edges)

    @property
    def things(self) -> tuple[Thing, ...]:
        return tuple(edge.by for edge in self.edges)

    @property
    def cheapest(self) -> Edge:
        """The edge that is cheapest to cut."""
        return min(self.edges, key=lambda edge: _COST.get(edge.need, _DEAREST))

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
