"""A worker: does jobs, one of each of its queues at a time, and looks after those whose worker has died."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from rebirth.commands import Commands
from rebirth.errors import Broken, NotYet
from rebirth.fleet.doing import Doing
from rebirth.fleet.engine import Engine, Row
from rebirth.fleet.place import Place, this_machine
from rebirth.run.waiting import until
from rebirth.secrets import Redaction
from rebirth.terminal.ending import Ending

_LOOK = 1.0  # seconds between two looks at the others
_PATIENCE = 5  # looks in a row that a job of ours is not in hand, until it is given back
_LEAVE = 90.0  # seconds that an ending worker waits for its commands


@dataclass
class Watch:
    """Sees that every job that somebody is said to do is done by somebody.

    It asks again and again: a look that fails, because the database restarts just now, is followed by another.
    """

    engine: Engine
    place: Place
    doing: Doing
    say: Callable[[str], None]
    drain: bool = False  # over when there is nothing left to do
    _idle: Counter[str] = field(default_factory=Counter)  # job of ours -> looks in a row that it was not in hand
    _deaf: bool = False

    async def look(self) -> None:
        """Raises NotYet, unless all is done and that is the end."""
        try:
            left = self._look()
        except Broken as error:
            if not self._deaf:
                self.say(f"{error}; the job in hand goes on")
            self._deaf = True
            raise NotYet(str(error)) from None
        if self._deaf:
            self._deaf = False
            self.say("the database answers again")
        if left or not self.drain:
            raise NotYet("jobs may come")

    def _look(self) -> bool:
        """Whether a job is left that this worker may wait for."""
        alive = {worker.name for worker in self.place.workers() if worker.alive}
        running = self.engine.rows("running")
        for row in running:
            mine = row.worker == self.doing.worker
            self._idle[row.job.id] = self._idle[row.job.id] + 1 if mine and row.job.id not in self.doing.running else 0
            if row.worker not in alive:
                self.say(f"{row.job.id}: its worker {row.worker} has died; it waits for another")
            elif self._idle[row.job.id] < _PATIENCE:
                continue
            else:
                self.say(f"{row.job.id}: the engine takes it for begun, and it is not; it waits again")
            self.engine.give_back(row)
        return bool(running) or (self.drain and any(map(self._may_do, self.engine.rows("waiting"))))

    @staticmethod
    def _may_do(row: Row) -> bool:
        return row.job.machine in {"", this_machine()}


def work(place: Place, name: str, say: Callable[[str], None], *, drain: bool) -> NoReturn:
    """Runs a worker until a signal ends it, or, with `drain`, until no job is left. Ends the process.

    It ends as if it died, but for its commands, which it ends first: what the engine makes of its jobs then is what it makes of
    those of a worker that was killed, and there is one way less to lose one.
    """
    engine = Engine(place)
    with place.present(name) as called, Ending() as ending:
        doing = Doing(place, called, engine.state, Commands(Redaction()))
        engine.work(called, doing.do)
        say(f"worker {called} is ready")
        watch = Watch(engine, place, doing, say, drain)
        try:
            ending.run(until(watch.look, what="there is nothing left to do", every=_LOOK))
        except (KeyboardInterrupt, asyncio.CancelledError):
            doing.stopping.set()
            if doing.running:
                say(f"ending {', '.join(doing.running)}, which another worker takes up, or this one when it is back")
            asyncio.run(_emptied(doing))
        say(f"worker {called} has ended")
        os._exit(ending.exit_code if ending.number else 0)


async def _emptied(doing: Doing) -> None:
    async def look() -> None:
        if doing.running:
            raise NotYet(", ".join(doing.running))

    try:
        async with asyncio.timeout(_LEAVE):
            await until(look, what="no command runs", every=0.1)
    except TimeoutError:
        return
