"""until(), together() and beside(): the only waits there are besides the engine's own."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rebirth.errors import NotYet, Rebirth
from rebirth.events import Arrived, BecameReady, Events, Noted, Nudged, Waiting

T = TypeVar("T")
_GROWTH = 1.25


@dataclass
class Watcher:
    """What the phase that runs now is waiting for: told as events, and kept for the message of a time-out."""

    phase: str
    events: Events
    pending: dict[str, str] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)  # what a person may do about what is pending
    asked: list[str] = field(default_factory=list)  # systems, each with its operation, that have not answered yet
    asked_last: str = ""
    noted: set[str] = field(default_factory=set)  # a phase that is tried again says the same again: once is enough

    def forget(self) -> None:
        """Another attempt begins."""
        self.pending.clear()
        self.hints.clear()
        self.asked.clear()

    def looks(self, what: str) -> None:
        """The first look at `what` begins: until it has ended nothing was seen, but it is known what for."""
        self.pending.setdefault(what, "")

    def last(self, not_yet: NotYet | None) -> str:
        """What was seen last, in words; where not even a first look has ended, what was looked for.

        `not_yet` is why the attempt before failed.
        """
        if seen := [f"{what}: {said}" for what, said in self.pending.items() if said]:
            return "; ".join(seen)
        if not_yet:
            return str(not_yet)
        asked = ", ".join(dict.fromkeys(self.asked))
        waits = f"; no answer of {asked}" if asked else ""
        if looking := ", ".join(f"whether {what}" for what in self.pending):
            return f"nothing yet, still asking {looking}{waits}"
        running = f": its first attempt is still running{self.asked_last and f', and asked last {self.asked_last}'}"
        return f"nothing yet{waits or running}"

    def hint(self, not_yet: NotYet | None) -> str:
        """What a person may do about what was seen last."""
        found = dict.fromkeys(hint for what, hint in self.hints.items() if hint and self.pending.get(what))
        return " ".join(found) or (not_yet.hint if not_yet else "")

    def saw(self, what: str, seen: str, hint: str = "") -> None:
        self.hints[what] = hint
        if self.pending.get(what) != seen:
            self.pending[what] = seen
            self.events(Waiting(self.phase, what, seen))

    def arrived(self, what: str, since: float) -> None:
        if self.pending.pop(what, ""):
            self.events(Arrived(self.phase, what, now() - since))


_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Waits inside are told to `watcher`. The engine sets it for each phase."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def now() -> float:
    """Seconds on the clock that waits go by: the event loop's, which a test may set going at its own pace."""
    return asyncio.get_running_loop().time()


def note(text: str) -> None:
    """Reports something that a person must see, once."""
    if (watcher := _watcher.get()) and text not in watcher.noted:
        watcher.noted.add(text)
        watcher.events(Noted(watcher.phase, text))


@contextmanager
def asking(system: str, operation: str) -> Iterator[None]:
    """While a system is asked: should its answer never come, a time-out says whose."""
    watcher, what, answered = _watcher.get(), f"{system}: {operation}", True
    if watcher:
        watcher.asked.append(what)
        watcher.asked_last = what
    try:
        yield
    except asyncio.CancelledError:
        answered = False
        raise
    finally:
        if watcher and answered and what in watcher.asked:
            watcher.asked.remove(what)


def became_ready(node: str) -> None:
    """Reports a node (kind namespace/name) that is Ready: for logs, the report and the plan."""
    if watcher := _watcher.get():
        watcher.events(BecameReady(watcher.phase, node))


def nudged(text: str) -> None:
    """Reports, for logs alone, that somebody was asked to look again now."""
    if watcher := _watcher.get():
        watcher.events(Nudged(watcher.phase, text))


async def until(
    look: Callable[[], Awaitable[T]],
    *,
    what: str,
    every: float = 1.0,
    slowest: float | None = None,
    changes: AsyncIterable[object] | None = None,
) -> T:
    """Asks `look` until it no longer raises NotYet; returns its answer.

    `what` says what is waited for. With `slowest` the pause grows from `every` to that many seconds, a quarter at a time: what
    is there soon is seen at once, and what takes minutes is not asked five times a second. `changes` is a stream (a watch of the Kubernetes API) that tells when asking again is
    worthwhile; with it `every` seconds are only the safety net. There is no time-out here: the engine ends a phase that
    takes too long, and tells what was seen last.
    """
    watcher, since = _watcher.get(), now()
    alarm = asyncio.Event()
    listening = asyncio.create_task(_listen(changes, alarm, what)) if changes is not None else None
    if listening:
        # What broke it is read in any case: by the wait that it ends, or here by one that has its answer.
        listening.add_done_callback(lambda task: alarm.set() if not task.cancelled() and task.exception() else None)
    if watcher:
        watcher.looks(what)
    try:
        while True:
            alarm.clear()
            try:
                answer = await look()
            except NotYet as not_yet:
                if watcher:
                    watcher.saw(what, str(not_yet), not_yet.hint)
            else:
                if watcher:
                    watcher.arrived(what, since)
                return answer
            # Never asyncio.wait_for: in Python 3.11 it swallows a cancellation that comes together with the alarm.
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await alarm.wait()
            if listening and listening.done():
                listening.result()  # a bug in the watch is none that asking again gets round
            every = min(every * _GROWTH, max(every, slowest or every))
    finally:
        if listening:
            listening.cancel()
            await asyncio.wait([listening])


async def _listen(changes: AsyncIterable[object], alarm: asyncio.Event, what: str) -> None:
    # A watch that breaks is not a failure: `every` still asks.
    try:
        async for _ in changes:
            alarm.set()
    except NotYet:
        pass
    except Rebirth as error:
        note(f"whether {what} is asked from time to time only, since it cannot be watched: {error}")


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, object]) -> AsyncIterator[Callable[[], None]]:
    """Runs `work` beside a block, and ends it with the block.

    Gives a function that raises what `work` has failed with, for the block to ask now and then; at the end it is asked anyway.
    """
    task = asyncio.ensure_future(work)

    def alive() -> None:
        if task.done() and not task.cancelled() and (error := task.exception()):
            raise error

    try:
        yield alive
        alive()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """Runs all at once and returns the answers in order; when one fails the others are ended.

    Unlike asyncio.TaskGroup the failure comes out bare, so that the engine sees NotYet as NotYet. Of several failures the
    one that trying again does not mend comes out.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in work]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    failures = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    if failures:
        raise next((error for error in failures if not isinstance(error, NotYet)), failures[0])
    return [task.result() for task in tasks]
