"""The machine that the product runs on: its clock, its disk, its randomness, its sockets, and the moment of its death.

One event loop on virtual time carries the product and the world around it. A run can end as by SIGKILL: nothing of the product goes on,
what it does while it is taken apart has no effect, and its files are those of that very moment. The world goes on.
"""

import asyncio
import gc
import os
import random
import selectors
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from random import Random
from typing import Any

EPOCH = 1_800_000_000.0  # the wall clock at the beginning of a life
_LONGEST = 4 * 3600.0  # virtual seconds after which a run that has not ended never will
_WORLD: ContextVar[bool] = ContextVar("world", default=False)


class Killed(BaseException):
    """The run has ended as by SIGKILL."""


class Stuck(Exception):  # noqa: N818 - what it is
    """A run that does not end, or waits for what nobody will do."""


class _Jumping(selectors.BaseSelector):
    """Selects nothing, and moves the clock on instead of waiting."""

    def __init__(self):
        self.now, self._files = 0.0, {}

    def select(self, timeout=None):
        if timeout is None:
            raise Stuck("nothing will ever happen again")
        self.now += max(timeout, 0.0)
        return []

    def register(self, fileobj, events, data=None):
        self._files[fileobj] = selectors.SelectorKey(fileobj, fileobj, events, data)
        return self._files[fileobj]

    def unregister(self, fileobj):
        return self._files.pop(fileobj)

    def get_map(self):
        return self._files


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, host: "Host"):
        self._jumping, self._host = _Jumping(), host
        super().__init__(self._jumping)

    def time(self):
        return self._jumping.now

    def run_in_executor(self, executor, func, *args):
        """In this thread: a clock that jumps would not wait for another. What was asked meanwhile says how long it took."""
        future, host = self.create_future(), self._host

        def act():
            host.took = 0.0
            if host.dead or future.cancelled():
                return
            try:
                result, error = func(*args), None
            except Killed:
                return
            except Exception as raised:  # noqa: BLE001 - it is whoever waits that it concerns
                result, error = None, raised
            self.call_later(host.took, finish, result, error)

        def finish(result, error):
            if not future.done():
                future.set_exception(error) if error else future.set_result(result)

        self.call_later(host.latency(), act)
        return future

    async def create_connection(self, protocol_factory, host=None, port=None, **options):
        """Only whether somebody listens is ever asked of a bare socket."""
        self._host.alive()
        await asyncio.sleep(self._host.latency())
        if not self._host.listens(host, port):
            raise ConnectionRefusedError(111, f"Connect call failed ('{host}', {port})")
        protocol = protocol_factory()
        transport = _Silent()
        protocol.connection_made(transport)
        return transport, protocol


class _Silent(asyncio.Transport):
    def close(self):
        pass

    def abort(self):
        pass

    def is_closing(self):
        return True  # nobody ever says anything over it


class Host:
    """`folder` is the product's: what is below it is left as it is at the moment of a kill.

    `draw` is what happens by chance in the world; what the product takes for random is another stream.
    """

    def __init__(self, folder: Path, seed: int | str) -> None:
        self.folder, self.scratch = folder, folder / "tmp"
        self.scratch.mkdir(parents=True)
        self.draw, self._entropy = Random(f"world {seed}"), Random(f"entropy {seed}")
        self.loop = _Loop(self)
        self.loop.set_task_factory(self._task)
        self.loop.set_exception_handler(lambda loop, context: None)
        self.trace: list[str] = []
        self.skew, self.took, self.dead = 0.0, 0.0, False
        self.slowest = 0.04  # seconds that a request is under way, at most
        self.listens: Callable[[str, int], bool] = lambda address, port: False
        self.points: list[str] = []  # at which this run could have been killed, so far
        self.kills: Callable[[int, str], bool] = lambda number, name: False
        self.when_killed: Callable[[], None] = lambda: None
        self._main: asyncio.Task[Any] | None = None
        self._world_tasks: set[asyncio.Task[Any]] = set()
        self._left: dict[Path, tuple[bytes, int]] | None = None
        self._journal, self._synced = folder / "state" / "journal.jsonl", b""

    # -- time

    def now(self) -> float:
        """Seconds of this life."""
        return self.loop.time()

    def outside(self) -> float:
        """What clocks elsewhere say, in seconds since the epoch."""
        return EPOCH + self.loop.time()

    def wall(self) -> float:
        """What this machine's clock says."""
        return self.outside() + self.skew

    def latency(self) -> float:
        return self.draw.uniform(0.001, self.slowest)

    def note(self, what: str) -> None:
        self.trace.append(f"{self.now():10.3f} {what}".replace(str(self.folder), "."))

    # -- whose a task is

    def _task(self, loop, coroutine, context=None):
        task = asyncio.Task(coroutine, loop=loop, context=context)
        if _WORLD.get():
            self._world_tasks.add(task)
            task.add_done_callback(self._world_tasks.discard)
        return task

    @contextmanager
    def world(self) -> Iterator[None]:
        """What is started inside belongs to the world, and outlives the product."""
        token = _WORLD.set(True)
        try:
            yield
        finally:
            _WORLD.reset(token)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        with self.world():
            return self.loop.create_task(work)

    # -- runs

    def attempt(self, command: Callable[[], Any]) -> Any:
        """One run of the product. Raises Killed, with its files as they were then, or what the command raises."""
        self.dead, self._left, self.points = False, None, []
        try:
            return command()
        except Killed:
            self._bury()
            self._restore()
            raise

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """As asyncio.run, for an attempt. Raises Killed, Stuck, or what `work` raises."""
        main = self._main = self.loop.create_task(work)
        main.add_done_callback(lambda task: self.loop.stop() if task is self._main else None)
        limit = self.loop.call_later(_LONGEST, self.loop.stop)
        try:
            self.loop.run_forever()
            if self.dead:
                raise Killed
            if not main.done():
                raise Stuck(f"a run has not ended after {_LONGEST:.0f} s")
            return main.result()
        finally:
            self._main = None
            limit.cancel()
            if not main.done():
                self.dead = True
                self._bury()

    def wait(self, seconds: float) -> None:
        """Time goes by, and no run is under way."""
        self.loop.call_later(seconds, self.loop.stop)
        self.loop.run_forever()

    def close(self) -> None:
        self.dead = True
        self._bury(self._world_tasks)
        self.loop.close()

    # -- death

    def alive(self) -> None:
        """Raises Killed where the product is dead already: it asks for nothing any more."""
        if self.dead:
            raise Killed

    def point(self, name: str) -> None:
        """A moment at which the run may be killed. Raises Killed."""
        self.alive()
        self.points.append(name)
        if self.kills(len(self.points) - 1, name):
            self.kill(name)
            raise Killed

    def kill(self, why: str) -> None:
        """From this moment on nothing that the product does has any effect."""
        if self.dead:
            return
        self.note(f"KILLED {why}")
        self.dead, self._left = True, _files(self.folder)
        self.loop.stop()
        self.when_killed()

    def synced(self, file: int) -> None:
        """What stands for fsync: only the journal is synced. A line that was killed while it was written may be there in part."""
        if not self._journal.exists() or os.fstat(file).st_ino != self._journal.stat().st_ino:
            return
        old, new = self._synced, self._journal.read_bytes()
        added = new.removeprefix(old).decode(errors="replace") if new.startswith(old) else "forget"
        what = " ".join(part for part in added.partition(", ")[2].split('"fingerprint"')[0].split())[:60] or added
        states = [("before", old), ("torn", old + new[len(old) : (len(old) + len(new)) // 2]), ("after", new)]
        if len(new) <= len(old):
            del states[1]
        for when, content in states:
            try:
                self._synced = content
                self._journal.write_bytes(content)
                self.point(f"{when} journal {what}")
            except Killed:
                self._synced = content.rpartition(b"\n")[0] + b"\n" if b"\n" in content else b""
                raise

    def _bury(self, tasks=None) -> None:
        found = (asyncio.all_tasks(self.loop) - self._world_tasks) if tasks is None else set(tasks)
        for task in found:
            coroutine = task.get_coro()
            for _ in range(50):
                try:
                    coroutine.close()
                    break
                except BaseException:  # noqa: BLE001 - it is dead; what it still wants to say is heard by nobody
                    continue
            task._log_destroy_pending = False
            task.cancel()
        for _ in range(100):
            if all(task.done() for task in found):
                break
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
        for task in found:
            if task.done() and not task.cancelled():
                task.exception()

    def _restore(self) -> None:
        assert self._left is not None
        for file in set(_files(self.folder)) - set(self._left):
            file.unlink()
        for file, (content, mode) in self._left.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(mode)

    @contextmanager
    def process(self) -> Iterator[None]:
        """This process's clock, randomness, fsync and folder for temporary files are the life's: no seam carries those.

        Garbage is collected afterwards: what is collected may act once more, at a moment that no seed knows.
        """
        collected = gc.isenabled()
        gc.disable()
        kept = time.time, os.urandom, random._urandom, os.fsync, tempfile.tempdir
        time.time, os.fsync, tempfile.tempdir = self.wall, self.synced, str(self.scratch)
        os.urandom = random._urandom = self._entropy.randbytes
        try:
            yield
        finally:
            time.time, os.urandom, random._urandom, os.fsync, tempfile.tempdir = kept
            if collected:
                gc.enable()


def _files(folder: Path) -> dict[Path, tuple[bytes, int]]:
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place) / name
            with suppress(FileNotFoundError):
                found[file] = file.read_bytes(), file.stat().st_mode & 0o777
    return found
