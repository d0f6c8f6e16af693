"""Runs what is ready, all at once; a failure stops only what needs it.

The engine alone retries (NotYet), alone catches Exception, alone starts tasks.
"""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, NoReturn, TypeVar, cast

from rebirth.errors import (
    Broken,
    CannotTell,
    Differs,
    DoesNotHold,
    Impossible,
    NoAnswer,
    NotYet,
    Rebirth,
    of_this_machine,
)
from rebirth.events import (
    Events,
    PhaseDone,
    PhaseFailed,
    PhaseHolds,
    PhaseReady,
    PhaseRetried,
    PhaseSkipped,
    PhaseStarted,
)
from rebirth.run.change import Change
from rebirth.run.facts import Fact
from rebirth.run.fingerprint import fingerprint
from rebirth.run.journal import Journal, Marks, Once
from rebirth.run.phase import Declaration, Phase, needs
from rebirth.run.waiting import Watcher, watched

_Fact = TypeVar("_Fact", bound=Fact)
_AGAIN = "Run the same command again: it goes on from here."
_FIRST_DELAY, _LONGEST_DELAY = 0.25, 5.0  # seconds between attempts, doubling


@dataclass
class Outcome:
    """How a run ended: the facts that hold, and why each failed phase failed."""

    facts: dict[str, Fact] = field(default_factory=dict)
    failures: dict[str, Rebirth] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)  # phase -> the phase whose failure stopped it
    left: dict[str, list[Change]] = field(default_factory=dict)  # phase -> what castle.yaml says, and is not so

    @property
    def ok(self) -> bool:
        """Whether all that was tried was done; what is left to a person was not tried."""
        return not self.failures and not self.skipped

    def made(self, kind: type[_Fact]) -> _Fact | None:
        """The fact of that kind, where it holds."""
        return next((fact for fact in self.facts.values() if isinstance(fact, kind)), None)


class _StoppedError(Exception):
    """A phase cannot start, since `because` failed."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class Engine:
    """One run over `phases`.

    `given` holds what phases take besides facts and connections, by type: sections of the castle, Paths, Redaction.
    `goals` are the phases that count, by name (None: all); what they need is looked at, too. `may_run` says which phases
    may be run if their fact does not hold (status runs none). `after` adds edges between phases, by name. `budget` is the
    time for the whole run in seconds.
    """

    def __init__(
        self,
        phases: Iterable[Phase],
        connections: Iterable[Declaration],
        given: Mapping[type, object],
        journal: Journal,
        events: Events,
        *,
        goals: Iterable[str] | None = None,
        may_run: Callable[[Phase], bool] = lambda _: True,
        after: Mapping[str, Iterable[str]] | None = None,
        budget: float | None = None,
    ) -> None:
        self.phases = {phase.makes: phase for phase in phases}
        self._connections = {connection.makes: connection for connection in connections}
        self._given = {**self._missing(), **given, Once: Once(journal), Marks: Marks(journal)}
        self._journal, self._events, self._may_run, self._budget = journal, events, may_run, budget
        self._goals = None if goals is None else frozenset(goals)
        self._names = {phase.name: phase for phase in self.phases.values()}
        self._after = {
            name: tuple(self._names[other].makes for other in others) for name, others in (after or {}).items()
        }
        self._needs = {
            phase.makes: tuple(needs(phase, self.phases.values(), self._connections.values()))
            for phase in self.phases.values()
        }
        self._tasks: dict[type, asyncio.Task[Any]] = {}
        self._finished: dict[type, float] = {}
        self._opened: list[object] = []
        self._limits: dict[type, asyncio.Timeout] = {}  # of the phases that run now
        self._hopeless: dict[type, str] = {}  # fact -> the phase whose failure ends the wait for it
        self._lacks: dict[str, str] = {}  # phase -> why its fact does not hold
        self._unasked: dict[str, str] = {}  # phase -> why it is not known whether its fact holds
        self._outcome = Outcome()
        self._prove()

    def _missing(self) -> dict[type, None]:
        """What is taken where it is there, and no phase or connection makes."""
        phases = self.phases.values()
        taking = [part for phase in phases for part in (phase, phase.still, phase.found) if part]
        kinds = {kind for one in (*taking, *self._connections.values()) for kind in one.can_do_without}
        return dict.fromkeys(kinds - {*self.phases, *self._connections})

    def _prove(self) -> None:
        """No cycle, and everything taken is made by something."""
        for declaration in [*self.phases.values(), *self._connections.values()]:
            for name, kind in declaration.takes.items():
                if kind not in self._given and kind not in self.phases and kind not in self._connections:
                    place = f"{declaration.file}:{declaration.line}"
                    raise Impossible(f"{declaration.name} takes {name}: {kind.__name__}, which nothing makes ({place})")
        graph = {makes: {*found, *self._after.get(self.phases[makes].name, ())} for makes, found in self._needs.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            chain = " <- ".join(self.phases[kind].name for kind in error.args[1])
            raise Impossible(f"the phases need each other in a cycle: {chain}") from None

    async def run(self) -> Outcome:
        """Makes every fact true that can be made true; never raises for a phase that failed."""
        deadline = None if self._budget is None else time.monotonic() + self._budget
        self._deadline = deadline
        try:
            await asyncio.gather(
                *(self._task(phase.makes) for phase in self.phases.values() if self._is_goal(phase)),
                return_exceptions=True,
            )
        finally:
            for task in self._tasks.values():
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks.values())
            await self._close()
        return self._outcome

    def _is_goal(self, phase: Phase) -> bool:
        return not phase.on_demand if self._goals is None else phase.name in self._goals

    # -- resolving what is taken

    def _task(self, kind: type) -> "asyncio.Task[Any]":
        if kind not in self._tasks:
            work = self._make(self.phases[kind]) if kind in self.phases else self._connect(self._connections[kind])
            self._tasks[kind] = asyncio.create_task(work, name=kind.__name__)
        return self._tasks[kind]

    async def _take(self, takes: Mapping[str, type]) -> dict[str, Any]:
        for kind in takes.values():  # start all before waiting for one
            if kind not in self._given:
                self._task(kind)
        return {
            name: self._given[kind] if kind in self._given else await asyncio.shield(self._task(kind))
            for name, kind in takes.items()
        }

    async def _connect(self, connection: Declaration) -> Any:
        made = connection.function(**await self._take(connection.takes))
        client = await made if isinstance(made, Awaitable) else made
        self._opened.append(client)
        return client

    async def _close(self) -> None:
        for client in self._opened:
            if close := getattr(client, "close", None):
                with suppress(Exception):  # the run is over; a client that cannot say goodbye changes nothing
                    closed = close()
                    if isinstance(closed, Awaitable):
                        await closed

    # -- one phase

    async def _make(self, phase: Phase) -> Fact:
        try:
            fact = await self._hold_or_run(phase)
        except _StoppedError as stopped:
            self._outcome.skipped[phase.name] = stopped.because
            self._events(PhaseSkipped(phase.name, stopped.because))
            self._end_waits_for(phase, stopped.because)
            raise
        except Rebirth as error:
            self._fail(phase, error)
        except Exception as error:  # noqa: BLE001 - the one place: a defect in a phase must not take the others down
            local = of_this_machine(error, phase.title) if isinstance(error, OSError) else None
            defect = local or Broken(
                f"unexpected {type(error).__name__}: {error}",
                operation=phase.name,
                hint="This is a bug; please report it with the trace in the phase's log.",
            )
            self._fail(phase, defect, trace="".join(traceback.format_exception(error)))
        self._outcome.facts[phase.name] = fact
        self._finished[phase.makes] = time.monotonic()
        return fact

    def _fail(self, phase: Phase, error: Rebirth, trace: str = "") -> NoReturn:
        self._outcome.failures[phase.name] = error
        self._events(PhaseFailed(phase.name, str(error), error.hint, trace))
        self._end_waits_for(phase, phase.name)
        raise _StoppedError(phase.name) from error

    def _end_waits_for(self, failed: Phase, because: str) -> None:
        """Phases that wait for what `failed` would have made, without taking its fact: their time is over."""
        for phase in self.phases.values():
            if failed.makes in phase.waits_for and phase.makes not in self._hopeless:
                self._hopeless[phase.makes] = because
                limit = self._limits.get(phase.makes)
                if limit and not limit.expired():
                    limit.reschedule(asyncio.get_running_loop().time())

    async def _hold_or_run(self, phase: Phase) -> Fact:
        first, later = self._split(phase)
        if not self._journal.knows(phase.name) and self._may_run(phase):
            for kind in later:  # it will have to run: what it asks for on demand starts now
                self._task(kind)
        await self._facts(first)
        inputs = self._fingerprint(phase)
        if fact := await self._holding(phase, inputs):
            self._events(PhaseHolds(phase.name))
            return fact
        if not self._may_run(phase):
            if why := self._unasked.get(phase.name):
                raise CannotTell(f"cannot tell: {why}", operation=phase.title)
            why = self._lacks.get(phase.name)
            words = f"not in place: {why}" if why else "not in place"
            raise DoesNotHold(words, operation=phase.title, hint="Run `rebirth create` to bring it up.")
        await self._facts(later)
        takes = await self._take(phase.takes)
        needed = [*first, *later]
        last = max(needed, key=lambda kind: self._finished[kind]) if needed else None
        self._events(PhaseReady(phase.name, self.phases[last].name if last else ""))
        fact = await self._persist(phase, takes)
        self._journal.remember(phase.name, fact, inputs)
        self._events(PhaseDone(phase.name))
        return fact

    def _split(self, phase: Phase) -> tuple[list[type[Fact]], list[type[Fact]]]:
        """What the phase needs before its fact can be looked at, and what is made only if it has to run."""
        found = self._needs[phase.makes]
        first = [kind for kind in found if not self.phases[kind].on_demand] + list(self._after.get(phase.name, ()))
        return first, [kind for kind in found if self.phases[kind].on_demand]

    async def _facts(self, kinds: Iterable[type[Fact]]) -> None:
        tasks = [self._task(kind) for kind in kinds]
        await asyncio.gather(*map(asyncio.shield, tasks))

    async def _holding(self, phase: Phase, known: str) -> Fact | None:
        """The fact, if it holds already."""
        if phase.still is None:
            return None
        patience = self._patience(phase)
        fact: Fact | None = None
        try:
            async with asyncio.timeout(patience) as limit:
                fact = self._journal.recall(phase.name, phase.makes, known) or await self._found(phase)
                if fact and await phase.still.function(fact, **await self._take(phase.still.takes)):
                    return fact
        except TimeoutError:
            if not limit.expired():
                raise
            self._unasked[phase.name] = f"no answer in {patience:.0f} s"
        except NoAnswer as error:
            self._unasked[phase.name] = str(error)
        except Differs as error:
            if not self._may_run(phase):
                return fact  # what differs is another question: foresee.py
            self._lacks[phase.name] = str(error)
        except NotYet as error:
            self._lacks[phase.name] = str(error)
        return None

    async def _found(self, phase: Phase) -> Fact | None:
        """A fact that no run remembers, where it may not be made: out of what the world shows."""
        if self._may_run(phase):
            return None
        if earlier := self._journal.recall(phase.name, phase.makes):
            if phase.changes:
                return earlier  # what castle.yaml says otherwise since is another question: foresee.py
            self._lacks[phase.name] = "its inputs have changed since"
            return None
        if phase.found is None:
            self._unasked[phase.name] = "no run is recorded here"
            return None
        return cast("Fact", await phase.found.function(**await self._take(phase.found.takes)))

    async def _persist(self, phase: Phase, takes: Mapping[str, Any]) -> Fact:
        """Runs the phase until it no longer says NotYet, or its time is over, or there is nothing left to wait for."""
        patience = self._patience(phase)
        if because := self._hopeless.get(phase.makes):
            raise _StoppedError(because)
        if patience <= 0:
            raise Broken("not started: the run's budget is used up", operation=phase.title)
        watcher = Watcher(phase.name, self._events)
        last_error: NotYet | None = None
        delay, attempt = _FIRST_DELAY, 1
        try:
            async with asyncio.timeout(patience) as limit:
                self._limits[phase.makes] = limit
                with watched(watcher):
                    while True:
                        watcher.forget()
                        self._events(PhaseStarted(phase.name, attempt))
                        try:
                            return cast("Fact", await phase.function(**takes))
                        except NotYet as error:
                            last_error = error
                        self._events(PhaseRetried(phase.name, str(last_error), delay))
                        await asyncio.sleep(delay)
                        delay, attempt = min(delay * 2, _LONGEST_DELAY), attempt + 1
        except TimeoutError:
            if not limit.expired():
                raise  # it is the phase's own, and says nothing of its time
            if because := self._hopeless.get(phase.makes):
                raise _StoppedError(because) from None
            words = f"gave up after {patience:.0f} s; last seen: {watcher.last(last_error)}"
            raise Broken(words, operation=phase.title, hint=watcher.hint(last_error) or phase.hint or _AGAIN) from None
        finally:
            self._limits.pop(phase.makes, None)

    def _fingerprint(self, phase: Phase) -> str:
        facts = {kind: self._outcome.facts.get(other.name) for kind, other in self.phases.items()}
        return fingerprint(phase, self._given, facts, self._connections)

    def _patience(self, phase: Phase) -> float:
        if self._deadline is None:
            return phase.patience
        return min(phase.patience, max(0.0, self._deadline - time.monotonic()))
