"""One way to end, whichever signal asks for it: what runs is cancelled, so that its programs and files go first."""

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SAME = (
    1.0  # seconds in which another signal is the same request: a terminal's reaches everybody, and is passed on, too
)


class Ending:
    """While it is entered, the signals that ask a command to end cancel what `run` runs.

    Where nothing runs, KeyboardInterrupt is raised. Who asks a second time, later, does not have to wait: the process ends
    by that signal. A signal that was ignored before, as nohup(1) does with SIGHUP, still is.
    """

    def __init__(self) -> None:
        self.number = 0  # of the signal that asked; 0 as long as none has
        self._since = 0.0
        self._work: asyncio.Task[Any] | None = None
        self._before: dict[int, Any] = {}

    @property
    def name(self) -> str:
        """Such as SIGTERM."""
        return signal.Signals(self.number).name

    @property
    def exit_code(self) -> int:
        """What a shell reports of a program that the signal has ended."""
        return 128 + self.number

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """As asyncio.run. Raises CancelledError, when all that was started has ended, if a signal asked for it."""

        async def main() -> T:
            self._work = asyncio.current_task()
            try:
                return await work
            finally:
                self._work = None

        return asyncio.run(main())

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _asked(self, number: int, _: FrameType | None) -> None:
        if self.number:
            if time.monotonic() - self._since > _SAME:
                _end_at_once(number)
            return
        self.number, self._since = number, time.monotonic()
        if self._work is None:
            raise KeyboardInterrupt
        # Not raised through the loop, which may be anywhere: a phase that is cancelled ends what it has started.
        self._work.cancel()
        self._work.get_loop().call_soon_threadsafe(lambda: None)  # it sleeps until something happens


def _end_at_once(number: int) -> None:
    if sys.stdout.isatty():
        sys.stdout.write("\x1b[?25h")  # the live view hides the cursor
        sys.stdout.flush()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
