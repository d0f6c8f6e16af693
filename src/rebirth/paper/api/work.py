"""What has to be looked at, each thing once however often it is asked for, several at a time; what fails is tried again."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from rebirth.errors import NotYet
from rebirth.paper.api.client import Refused

K = TypeVar("K")
_FIRST, _GROWTH, _SLOWEST = 0.05, 2.0, 5.0  # seconds before a second attempt, and how they grow
_FINAL = {400, 403, 405, 422}  # statuses that the same request gets again


class Work(Generic[K]):
    """One queue. `refused` is told what the API server will never take."""

    def __init__(
        self, act: Callable[[K], Awaitable[None]], refused: Callable[[K, str], None], at_once: int = 8
    ) -> None:
        self._act, self._refused, self._at_once = act, refused, at_once
        self._queue: asyncio.Queue[K] = asyncio.Queue()
        self._waiting: set[K] = set()
        self._busy: set[K] = set()
        self._again: set[K] = set()  # asked for while they are being looked at
        self._failures: dict[K, int] = {}

    def add(self, key: K) -> None:
        if key in self._busy:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._queue.put_nowait(key)

    def later(self, key: K, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self.add, key)

    async def run(self) -> None:
        """Never returns."""
        await side_by_side(*(self._worker() for _ in range(self._at_once)))

    async def _worker(self) -> None:
        while True:
            key = await self._queue.get()
            self._waiting.discard(key)
            self._busy.add(key)
            try:
                await self._act(key)
                self._failures.pop(key, None)
            except NotYet as error:
                self._failed(key, error)
            finally:
                self._busy.discard(key)
            if key in self._again:
                self._again.discard(key)
                self.add(key)

    def _failed(self, key: K, error: NotYet) -> None:
        if isinstance(error, Refused) and error.status in _FINAL:
            self._refused(key, str(error))
            return
        count = self._failures[key] = self._failures.get(key, 0) + 1
        self.later(key, min(_FIRST * _GROWTH ** (count - 1), _SLOWEST))


async def side_by_side(*works: Coroutine[Any, Any, None], until: str = asyncio.FIRST_EXCEPTION) -> None:
    """Runs all at once; when one fails (or ends, with `until` FIRST_COMPLETED), or this is cancelled, the others are ended."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=until)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
