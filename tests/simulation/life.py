"""One castle's life, from a plan: created, looked at again, destroyed; killed, and begun again, wherever the plan says so."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rebirth.console import Recorder
from rebirth.events import Event, Events, PhaseStarted
from rebirth.phases import BOOTSTRAP
from rebirth.run import asking
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.create import create
from rebirth.run.engine import Outcome
from rebirth.secrets import Redaction
from simulation.auditor import Auditor, contents
from simulation.faults import LIES, Plan
from simulation.happenings import happen
from simulation.host import Killed, Stuck
from simulation.world import World

RUNS = 3  # after everything works again so many runs of a command have to do
BOUND = 900.0  # and so many virtual seconds, of a run that begins then
_AGAIN = 5.0  # seconds until an operator runs a command again that has failed
_SETTLES = 120.0  # seconds until controllers have come to rest
_MEMORY = Path("/dev/shm")

Change = Callable[[Bootstrap], Bootstrap]
Listen = Callable[[Event], None]


@dataclass
class Life:
    """What became of one. `seconds` are virtual."""

    seed: int | str
    plan: Plan
    complaints: list[str]
    trace: list[str]
    runs: int = 0
    kills: int = 0
    failures: list[str] = field(default_factory=list)  # messages that runs ended with
    hits: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    slowest: float = 0.0  # seconds until online, of a run that began when everything worked
    late: float = 0.0  # seconds between the last fault and online
    points: list[str] = field(default_factory=list)  # of its last run that was not killed, at which it could have been


@contextmanager
def folder() -> Iterator[Path]:
    """On a disk that is none."""
    place = Path(tempfile.mkdtemp(prefix="rebirth-simulation-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


class Living:
    """A life while it goes on; `change` is what a test does to the product, `records` whether its logs are written, too."""

    def __init__(
        self, seed: int | str, plan: Plan, place: Path, *, change: Change = lambda same: same, records: bool = True
    ) -> None:
        self.world = World(place / "life", seed, plan)
        self.auditor = Auditor(self.world)
        self.life = Life(seed, plan, self.auditor.complaints, self.world.host.trace)
        self._change, self._records = change, records
        self.said: list[str] = []
        self.started: list[str] = []  # phases, each time

    # -- one run of a command

    def attempt(
        self, kill: "int | float | Callable[[int, str], bool] | None", command: Callable[..., Outcome]
    ) -> Outcome | None:
        """None where it was killed."""
        host = self.world.host
        at = host.loop.call_later(kill, host.kill, f"after {kill:.1f} s") if isinstance(kill, float) else None
        host.kills = kill if callable(kill) else (lambda number, _: number == kill)
        redaction, recorder = Redaction(), None
        bootstrap = self._change(self.world.bootstrap())
        listeners: list[Listen] = [self.auditor.hear, self._trace]
        if self._records:
            recorder = Recorder(self.world.paths.logs / str(self.life.runs), redaction)
            listeners.append(recorder)

        def told(event: Event) -> None:
            for listen in listeners if not host.dead else ():  # what the dead say is heard by nobody
                listen(event)

        self.life.runs += 1
        outcome = None
        try:
            outcome = host.attempt(lambda: command(bootstrap, redaction, Events(told)))
        except Killed:
            self.life.kills += 1
        finally:
            if at:
                at.cancel()
            host.kills = lambda number, name: False
            if recorder:
                recorder.close()
        if outcome is not None:
            self.life.points = list(host.points)
        self.auditor.after_run(killed=outcome is None)
        for error in outcome.failures.values() if outcome else ():
            self.life.failures.append(str(error))
            host.note(f"FAILED {error}")
            self.auditor.failure(error)
        return outcome

    def _trace(self, event: Event) -> None:
        if isinstance(event, PhaseStarted):
            self.started.append(event.phase)
        said = {name: value for name, value in vars(event).items() if name not in {"at", "seconds"}}
        self.world.host.note(f"{type(event).__name__} {said}")

    def create(self, kill: Any = None) -> Outcome | None:
        world = self.world
        return self.attempt(
            kill,
            lambda bootstrap, redaction, events: world.host.run(
                create(bootstrap, world.castle, world.paths, events, redaction)
            ),
        )

    def destroy(self, kill: Any = None) -> Outcome | None:
        world, self.said = self.world, []

        def say(line: str) -> None:
            self.said.append(line)
            self.auditor.look("what destroy says", line)

        return self.attempt(
            kill,
            lambda bootstrap, redaction, events: asking.destroy(
                bootstrap, world.castle, world.paths, events, redaction, say, yes=True, run=world.host.run
            ),
        )

    # -- to its end

    def until_well(self, command: Callable[[Any], Outcome | None], kills: list[Any]) -> bool:
        """Again and again, as an operator would, until the command has ended well. Whether it has."""
        host, left = self.world.host, list(kills)
        tries = 0
        while True:
            works = host.now() >= self.world.plan.over and not left
            tries += works
            since = host.now()
            outcome = command(left.pop(0) if left else None)
            if outcome and outcome.ok:
                self._in_time(since, works=works)
                return True
            if tries >= RUNS:
                why = self.life.failures[-1] if self.life.failures else "nothing"
                self.auditor.complain(f"not well after {tries} runs while everything works: {why}")
                return False
            if outcome:
                host.wait(max(_AGAIN, self.world.plan.over - host.now()))

    def _in_time(self, since: float, *, works: bool) -> None:
        life, now, over = self.life, self.world.host.now(), self.world.plan.over
        if works:
            life.slowest = max(life.slowest, now - since)
            if now - since > BOUND:
                self.auditor.complain(f"took {now - since:.0f} s while everything works")
        if over:
            life.late = max(life.late, now - over)

    def whole(self, expected: dict[str, Any]) -> None:
        """Created, with all its kills and faults; created again, which writes nothing; destroyed; perhaps reborn."""
        world, plan, host = self.world, self.world.plan, self.world.host
        for at, kind in plan.events:
            world.later(at, lambda kind=kind: happen(world, kind))
        if plan.abandoned:
            self.create(plan.kills[0])
        elif self.until_well(self.create, plan.kills):
            host.wait(max(_SETTLES, plan.over - host.now()))
            if any(
                fault.kind in LIES for fault in plan.faults
            ):  # what a run was told that is not so, the next one sees
                self.until_well(self.create, [])
                host.wait(_SETTLES)
            if not plan.events:  # what happened to a castle that was online is another castle
                self.auditor.online(expected)
                self.unchanged()
        plan.faults = [fault.moved(host.now()) for fault in plan.destroy_faults]
        plan.events = []
        if self.until_well(self.destroy, plan.destroy_kills):
            host.wait(_SETTLES)
            self.auditor.gone(self.said)
            if plan.again:
                self._reborn(expected)

    def _reborn(self, expected: dict[str, Any]) -> None:
        host = self.world.host
        if self.until_well(self.create, []):
            host.wait(max(_SETTLES, self.world.plan.over - host.now()))
            self.auditor.online(expected)
            if self.until_well(self.destroy, []):
                host.wait(_SETTLES)
                self.auditor.gone(self.said)

    def unchanged(self) -> None:
        """On a castle that is online create writes nothing, and does no step again."""
        before = len(self.started)
        self.create()
        if written := self.world.host.points:
            self.auditor.complain(f"an online castle was written to: {', '.join(written[:4])}")
        on_demand = {phase.name for phase in BOOTSTRAP.phases if phase.on_demand}
        if again := [phase for phase in self.started[before:] if phase not in on_demand]:
            self.auditor.complain(f"done again on an online castle: {', '.join(again)}")

    def finish(self) -> Life:
        self.life.seconds, self.life.hits = self.world.host.now(), self.world.struck.hits
        self.world.close()
        return self.life


@cache
def undisturbed() -> dict[str, Any]:
    """What all systems hold once a castle is online that nothing ever happened to."""
    with folder() as place:
        living = Living("undisturbed", Plan(), place)
        with living.world.host.process():
            outcome = living.create()
            assert outcome, "killed"
            assert outcome.ok, outcome.failures
            living.world.host.wait(_SETTLES)
            found = contents(living.world)
        living.finish()
    return found


def lived(seed: int | str, plan: Plan, *, change: Change = lambda same: same, records: bool = True) -> Life:
    """A whole life."""
    expected = undisturbed()
    with folder() as place:
        living = Living(seed, plan, place, change=change, records=records)
        with living.world.host.process():
            try:
                living.whole(expected)
            except Stuck as stuck:
                living.auditor.complain(f"stuck: {stuck}")
            return living.finish()
