"""The graph seen as what is run: phases and the units of Flux and Helm, each with the wave and the second of its start."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model
from rebirth.proof.things import Edge, Milestone, Need, Scope, Thing
from rebirth.run.phase import goal

_COURSE = (Milestone.STARTED, Milestone.APPLIED, Milestone.READY)  # of a phase or a unit
# Whoever makes these, it is no other phase or unit: what a node uses of others is known without them.
_PLAIN = {Need.SOURCE, Need.CREDENTIAL, Need.DECRYPTION}


@dataclass(frozen=True)
class Node:
    """A phase or a unit; `None`: it never starts, or is never ready."""

    label: str
    wave: int  # 1 needs nothing of the others; 0 never starts
    start: float | None  # seconds
    ready: float | None
    after: str  # the node that lets it start at last; "" where it needs none
    starts_after: tuple[str, ...]  # every node that it needs directly in order to start
    ready_after: tuple[str, ...]  # and those that it needs besides in order to be ready


@dataclass(frozen=True)
class Step:
    """A part of the longest chain."""

    label: str
    seconds: float


@dataclass(frozen=True)
class Held:
    """`node` declares that it waits for `by`, and nothing that it uses needs that."""

    node: str
    by: str
    edge: Edge
    seconds: float  # how much earlier it could start


@dataclass(frozen=True)
class Plan:
    nodes: tuple[Node, ...]  # in the order in which they start
    longest: tuple[Step, ...]
    online: float | None  # seconds; None without a castle, or where it is never reached
    total: float
    held: tuple[Held, ...]  # the costliest first
    assumed: tuple[Thing, ...]  # what nothing here makes, taken as there
    notes: tuple[str, ...] = ()  # what has to be there before anything starts

    @property
    def never(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.ready is None)


def labels(model: Model, graph: Graph) -> set[str]:
    """Of what is run."""
    return set(run(model, graph))


def run(model: Model, graph: Graph) -> dict[str, Thing]:
    """What is run, by its label: a name may hold blanks, so that a label tells not where the kind ends."""
    phases = {t.label: t for t in graph.things if t.kind == "phase"}
    return phases | {unit.applied.label: unit.applied for unit in model.units}


def plan(model: Model, graph: Graph) -> Plan:
    """Needs `graph.seconds`. What nothing makes is taken as there from now on."""
    assumed = tuple(graph.missing())
    for thing in assumed:
        graph.given(thing, "nothing here makes it")
    return _Planner(model, graph, assumed).plan()


class _Planner:
    def __init__(self, model: Model, graph: Graph, assumed: tuple[Thing, ...]) -> None:
        self.graph, self.assumed = graph, assumed
        self.online = f"phase {goal(model.phases)}"
        self.run = run(model, graph)
        self.blind = {unit.applied.label for unit in model.units if not unit.known}
        self.times = graph.finish_times()
        self.order = {thing: at for at, thing in enumerate(graph.settle().order)}
        self.direct: dict[Thing, frozenset[str]] = {}  # the nodes that a thing needs without another node between
        self.wave: dict[Thing, int] = {}
        self.guessed: set[Thing] = set(assumed)  # things that stand on something assumed, within one node
        for thing in self.order:
            self._look(thing)

    def _owner(self, thing: Thing) -> str:
        """The node that a thing belongs to; its object is made by another."""
        return thing.label if thing.milestone is not Milestone.EXISTS and thing.label in self.run else ""

    def _edges(self, thing: Thing) -> list[Edge]:
        return [
            e for e in self.graph.edges.get(thing, ()) if e.scope & Scope.FIRST_BOOT and self._before(e.needs, thing)
        ]

    def _before(self, needed: Thing, thing: Thing) -> bool:
        return needed in self.order and self.order[needed] < self.order.get(thing, len(self.order))

    def _look(self, thing: Thing) -> None:
        needed = [edge.needs for edge in self._edges(thing)]
        waves = [self.wave[n] for n in needed]
        behind = (min(waves) if thing in self.graph.made else max(waves)) if waves else 0
        own = self._owner(thing)
        self.wave[thing] = behind + 1 if own and not any(self._owner(n) == own for n in needed) else behind
        self.direct[thing] = self._nodes(needed, own)
        if any(
            e.needs in self.guessed and not self._owner(e.needs) and e.need not in _PLAIN for e in self._edges(thing)
        ):
            self.guessed.add(thing)

    def _nodes(self, needed: Iterable[Thing], own: str) -> frozenset[str]:
        found: set[str] = set()
        for thing in needed:
            owner = self._owner(thing)
            found |= {owner} if owner else self.direct.get(thing, frozenset())
        return frozenset(found - {own})

    def plan(self) -> Plan:
        nodes = [self._node(label) for label in self.run if self._course(label)]
        nodes.sort(key=lambda n: (n.start is None, n.wave, n.start or 0.0, n.label))
        done = {node.label: node.ready for node in nodes if node.ready is not None}
        last = max(done, key=lambda label: (done[label], label), default="")
        end = self.online if self.online in done else last
        return Plan(
            tuple(nodes),
            tuple(self._chain(self._course(end)[-1])) if end else (),
            done.get(self.online),
            max(done.values(), default=0.0),
            tuple(sorted(self._held(), key=lambda held: (-held.seconds, held.node, held.by))),
            self.assumed,
            tuple(f"create needs the program `flux`: {one.words}" for one in self.graph.marked("no-flux-manifests")),
        )

    def _course(self, label: str) -> list[Thing]:
        """What becomes true of a node, one after the other."""
        things = [self.run[label]._replace(milestone=milestone) for milestone in _COURSE]
        return [thing for thing in things if thing in self.graph.edges]

    def _node(self, label: str) -> Node:
        course = self._course(label)
        starts = self.direct.get(course[0], frozenset())
        besides = frozenset[str]().union(*(self.direct.get(thing, ()) for thing in course[1:])) - starts
        needs = tuple(sorted(starts)), tuple(sorted(besides))
        if course[0] not in self.times:
            return Node(label, 0, None, None, "", *needs)
        start = self.times[course[0]] - self.graph.seconds.get(course[0], 0.0)
        ready = self.times.get(course[-1])
        return Node(label, self.wave[course[0]], start, ready, self._culprit(course[0]), *needs)

    def _latest(self, thing: Thing) -> Thing | None:
        """What became true last of all that `thing` needs; of several makers, the first."""
        needed = [edge.needs for edge in self._edges(thing) if edge.needs in self.times]
        if thing in self.graph.starts or not needed:
            return None
        pick = min if thing in self.graph.made else max
        return pick(needed, key=lambda n: self.times[n])

    def _culprit(self, begin: Thing) -> str:
        thing = self._latest(begin)
        while thing is not None and self._owner(thing) in {"", begin.label}:
            thing = self._latest(thing)
        return self._owner(thing) if thing else ""

    def _chain(self, end: Thing | None) -> Iterator[Step]:
        steps: list[Step] = []
        while end is not None:
            label, seconds = self._owner(end), self.graph.seconds.get(end, 0.0)
            if steps and label and steps[-1].label == label:
                steps[-1] = Step(label, steps[-1].seconds + seconds)
            elif label or seconds:
                steps.append(Step(label or end.label, seconds))
            end = self._latest(end)
        yield from reversed(steps)

    def _held(self) -> Iterator[Held]:
        """Declared waits that no use requires, neither directly nor through what is used."""
        reach = self._reach()
        for label in sorted(self.run):
            course = self._course(label)
            if label in self.blind or self.guessed.intersection(course):
                continue
            edges = [edge for thing in course for edge in self._edges(thing) if self._owner(edge.needs) != label]
            declared = [edge for edge in edges if edge.need is Need.DEPENDS_ON]
            used = self._nodes([edge.needs for edge in edges if edge.need is not Need.DEPENDS_ON], label)
            for edge in declared:
                by = self._owner(edge.needs)
                others = used | {self._owner(e.needs) for e in declared if e is not edge}
                if not by or by in self.blind or by in others or any(by in reach.get(o, ()) for o in others):
                    continue
                rest = [self.times[e.needs] for e in self._edges(edge.by) if e is not edge]
                yield Held(label, by, edge, max(0.0, self.times[edge.needs] - max(rest, default=0.0)))

    def _reach(self) -> dict[str, frozenset[str]]:
        """Every node that a node needs, through others, too."""
        found: dict[str, frozenset[str]] = {}
        ends = sorted((t for t in self.order if self._owner(t)), key=lambda t: self.order[t])
        for thing in ends:
            own = self._owner(thing)
            behind = [found.get(label, frozenset()) for label in self.direct[thing]]
            found[own] = found.get(own, frozenset()).union(self.direct[thing], *behind)
        return found
