"""Back to nothing: what every phase has made outside, undone in reverse; then a look whether anything is left.

Nothing here knows a phase. Each says by `undo` how what it made is found again, by names and tags alone, so that a lost
journal loses nothing; the engine runs them, backwards.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Any

from pydantic import BaseModel

from rebirth.castle import Castle, references
from rebirth.errors import Broken, NotYet
from rebirth.events import Events
from rebirth.paths import Paths
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.create import given
from rebirth.run.engine import Engine, Outcome
from rebirth.run.facts import Fact, InMemory, Made, SecretsResolved
from rebirth.run.journal import Journal, Marks
from rebirth.run.phase import Declaration, Phase, Undo, needs
from rebirth.run.waiting import note, now, together
from rebirth.secrets import Redaction

PATIENCE = 120.0  # seconds for each undo while the outside does not answer, or is busy


@dataclass(frozen=True)
class Looked(InMemory):
    """What a phase's undo found."""

    made: tuple[Made, ...]


@dataclass(frozen=True)
class Found:
    """All that is there of a castle, and what could not be looked at."""

    made: tuple[Made, ...]
    outcome: Outcome

    @property
    def goes(self) -> list[Made]:
        return [one for one in self.made if one.remove]

    @property
    def stays(self) -> list[Made]:
        return [one for one in self.made if not one.remove]


class Destruction:
    """One destroy of a castle: look, then remove, then look again.

    `patience` is in seconds, for each undo; `budget` is for all looks and removals together, without what passes between them,
    when a person thinks about the list. Raises SpecError where a secret is missing that the undos' clients take;
    others are not asked for.
    """

    def __init__(
        self,
        bootstrap: Bootstrap,
        castle: Castle,
        paths: Paths,
        journal: Journal,
        events: Events,
        redaction: Redaction,
        *,
        patience: float = PATIENCE,
        budget: float | None = None,
    ) -> None:
        self._journal, self._events, self._patience, self._budget = journal, events, patience, budget
        self._given = {**given(castle, paths, redaction), Marks: Marks(journal)}
        bootstrap = bootstrap.of(self._given)
        self._after = backwards(bootstrap.phases, bootstrap.connections)
        undone = {_name(phase): (phase, phase.undo) for phase in bootstrap.phases if phase.undo}
        self._phases = [undone[name] for name in TopologicalSorter(self._after).static_order()]
        self._connections = _reached(bootstrap, (kind for _, undo in self._phases for kind in undo.takes.values()))
        sections = [self._given[kind] for kind in _sections(self._connections)]
        named = {reference.secret for section in sections for _, reference in references(section)}
        wanted = [(path, reference) for path, reference in castle.references() if reference.secret in named]
        self._given[SecretsResolved] = bootstrap.resolve(wanted, paths, redaction)

    @property
    def titles(self) -> list[str]:
        """What is looked for, in the order in which it goes."""
        return [undo.title for _, undo in self._phases]

    async def look(self) -> Found:
        """What is there. Nothing is written."""
        return self._found(await self._run("look for", _looking, after={}))

    async def remove(self, found: Found) -> Found:
        """Removes what is there, in the order of the graph, backwards; returns what a last look found.

        `found` is what a look has found before: it is written down first, because nobody can tell whose some devices are once
        the machines are gone; and so is what the castle has made since, while somebody thought about the list. Does nothing
        twice, and may be killed and run again at any point.
        """
        self._write_down(found)
        since = await self.look()
        if not since.outcome.ok:
            return since
        self._write_down(since)
        left = self._found(await self._run("remove", _removing, after=self._after))
        if left.outcome.ok:
            left = await self.look()
            if left.goes:
                error = Broken(f"still there: {', '.join(map(str, left.goes))}", operation="destroy")
                left.outcome.failures["destroy"] = error
        if left.outcome.ok:
            self._journal.forget()
        return left

    def _write_down(self, found: Found) -> None:
        for one in found.goes:
            if one.identity:
                self._journal.mark(one.kind, one.identity)
        self._journal.keep_seen()

    def _found(self, outcome: Outcome) -> Found:
        looked = [outcome.facts.get(_name(phase)) for phase, _ in self._phases]
        return Found(tuple(one for fact in looked if isinstance(fact, Looked) for one in fact.made), outcome)

    async def _run(
        self, verb: str, work: "Callable[[Undo], Callable[..., Awaitable[Looked]]]", after: dict[str, list[str]]
    ) -> Outcome:
        """Runs something over every undo as phases of a graph of their own."""
        phases = [
            replace(
                phase,
                name=_name(phase),
                title=f"{verb} {undo.title}",
                takes=undo.takes,
                can_do_without=undo.can_do_without,
                makes=_fact(phase),
                function=work(undo),
                patience=self._patience,
                on_demand=False,
                still=None,
                found=None,
            )
            for phase, undo in self._phases
        ]
        began = now()
        engine = Engine(
            phases, self._connections, self._given, self._journal, self._events, after=after, budget=self._budget
        )
        outcome = await engine.run()
        if self._budget is not None:
            self._budget = max(0.0, self._budget - (now() - began))
        return outcome


def _name(phase: Phase) -> str:
    return f"undo_{phase.name}"


def _fact(phase: Phase) -> type[Fact]:
    """What the undo of that phase makes true: each a type of its own, since the engine knows facts by their types."""
    return type(f"{phase.makes.__name__}Undone", (Looked,), {})


def backwards(phases: Iterable[Phase], connections: Iterable[Declaration]) -> dict[str, list[str]]:
    """After which undos each undo runs: after those of all phases that need its own, and after what it says itself."""
    known = {phase.makes: phase for phase in phases}
    direct = {makes: set(needs(phase, known.values(), connections)) for makes, phase in known.items()}

    def all_needs(makes: type[Fact]) -> set[type[Fact]]:
        found, pending = set[type[Fact]](), [makes]
        while pending:
            new = direct[pending.pop()] - found
            found |= new
            pending += new
        return found

    undone = {makes: phase.undo for makes, phase in known.items() if phase.undo}
    above = {makes: all_needs(makes) - set(undo.after) for makes, undo in undone.items()}
    return {
        _name(known[makes]): [_name(known[other]) for other in undone if makes in above[other] or other in undo.after]
        for makes, undo in undone.items()
    }


def _reached(bootstrap: Bootstrap, kinds: Iterable[type]) -> list[Declaration]:
    """The connections that these kinds are made by, with those that these need in turn."""
    connects = {connection.makes: connection for connection in bootstrap.connections}
    found: dict[type, Declaration] = {}
    pending = list(kinds)
    while pending:
        kind = pending.pop()
        if kind in connects and kind not in found:
            found[kind] = connects[kind]
            pending += connects[kind].takes.values()
    return list(found.values())


def _sections(connections: Iterable[Declaration]) -> set[type]:
    """The sections of the castle whose secrets these connections take."""
    taken = [connection.takes.values() for connection in connections if SecretsResolved in connection.takes.values()]
    return {kind for kinds in taken for kind in kinds if issubclass(kind, BaseModel)}


def _looking(undo: Undo) -> Callable[..., Awaitable[Looked]]:
    async def look(**takes: Any) -> Looked:
        return Looked(tuple(await _patiently(undo.function(**takes))))

    return look


def _removing(undo: Undo) -> Callable[..., Awaitable[Looked]]:
    look = _looking(undo)

    async def remove(**takes: Any) -> Looked:
        await together(*(_remove(one) for one in (await look(**takes)).made if one.remove))
        left = await look(**takes)
        if still := [str(one) for one in left.made if one.remove]:
            raise NotYet(f"still there: {', '.join(still)}")
        return left

    return remove


async def _remove(one: Made) -> None:
    assert one.remove
    await _patiently(one.remove())
    note(f"removed {one}")


async def _patiently(call: Awaitable[Any]) -> Any:
    """Whoever answers with an error of his own may answer otherwise in a moment: a castle that goes has the time."""
    try:
        return await call
    except Broken as error:
        if (error.status or 0) < 500:
            raise
        raise NotYet(str(error), hint=error.hint) from None
