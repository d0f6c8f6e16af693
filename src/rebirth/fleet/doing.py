"""A worker's hand: does one job, once, whatever the engine says.

The castle's lock is taken first. Under it the job's account is read: what has ended by it is not done again, and what was only begun
is begun again, for every command of the product resumes by the journal of its castle.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from rebirth.commands import Commands, Program
from rebirth.errors import Broken, NotYet
from rebirth.fleet.account import ENDED, Account, Entry
from rebirth.fleet.job import Job
from rebirth.fleet.kinds import kind
from rebirth.fleet.place import Place
from rebirth.run.waiting import beside, now, until

_EVERY = 0.5  # seconds between two looks whether a job was cancelled
_GRACE = 60.0  # seconds that a command may take to end when it is asked to


class _Cancelled(Exception):  # noqa: N818 - it says what has happened
    """Before it was begun."""


@dataclass
class Doing:
    """What one worker has in hand."""

    place: Place
    worker: str
    state: Callable[[str], str]  # of a job, by its id; raises Broken
    commands: Commands
    stopping: Event = field(default_factory=Event)  # the worker is asked to end
    running: list[str] = field(default_factory=list)  # ids; one twice, where it was resumed before it had ended

    def do(self, job: Job) -> dict[str, Any]:
        """How the job ended. Called by the engine, in a thread; it does not return where the worker ends first."""
        self.running.append(job.id)
        try:
            ended = asyncio.run(self._do(job))
        finally:
            self.running.remove(job.id)
        while ended is None:
            # As far as the engine knows, this worker has died at it: that is what it has to make good.
            Event().wait()
        return {"outcome": ended.outcome or ended.what, "code": ended.code}

    async def _do(self, job: Job) -> Entry | None:
        account = self.place.account(job.id)
        try:
            async with self._castle(job):
                return account.end or await self._begun(job, account)
        except _Cancelled:
            return None if self.stopping.is_set() else account.write("cancelled", self.worker)

    @asynccontextmanager
    async def _castle(self, job: Job) -> AsyncIterator[None]:
        """The castle is this job's, as long as it is open."""
        with ExitStack() as held:

            async def take() -> None:
                if self.stopping.is_set() or self._is_cancelled(job):
                    raise _Cancelled
                held.enter_context(self.place.locked(job))

            await until(take, what=f"{job.castle} is free", every=_EVERY)
            yield

    async def _begun(self, job: Job, account: Account) -> Entry | None:
        account.write("started", self.worker)
        found, since = kind(job.kind), time.monotonic()
        argv = [sys.executable, *found.program, *found.command(job)]
        async with self.commands.started(
            argv, operation=job.kind, output=account.answer, errors=account.output, cwd=found.at
        ) as program:
            end = _Ending(program)
            async with beside(until(lambda: self._asked(job, end), what="it is cancelled", every=_EVERY)):
                code = await program.ended()
        took = {"code": code, "seconds": round(time.monotonic() - since, 2)}
        if end.since is None:
            return account.write(ENDED, self.worker, outcome=found.outcome(code), **took)
        if self.stopping.is_set():
            account.write("interrupted", self.worker, **took)
            return None
        return account.write("cancelled", self.worker, **took)

    async def _asked(self, job: Job, end: "_Ending") -> None:
        """Asks the command to end when somebody wants that, and ends it when it takes too long."""
        if end.since is None and (self.stopping.is_set() or self._is_cancelled(job)):
            end.ask()
        if end.since is None or now() - end.since < _GRACE:
            raise NotYet("nobody wants it to end" if end.since is None else "it ends")
        end.program.kill()

    def _is_cancelled(self, job: Job) -> bool:
        """What the engine does not answer is no."""
        try:
            return self.state(job.id) == "cancelled"
        except Broken:
            return False


@dataclass
class _Ending:
    program: Program
    since: float | None = None

    def ask(self) -> None:
        self.since = now()
        self.program.ask_to_end()
