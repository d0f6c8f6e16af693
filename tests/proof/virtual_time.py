"""Event loops with clocks of their own: one jumps, so that minutes are over at once, for code that opens no socket; one hurries."""

import asyncio
import selectors

HURRY = 10  # times as fast as the clock on the wall


class _Jumping(selectors.BaseSelector):
    """Selects nothing, and moves the clock on instead of waiting."""

    def __init__(self, real):
        self._real, self.now = real, 0.0

    def select(self, timeout=None):
        if timeout is None:
            return self._real.select(0.01)
        self.now += timeout
        return self._real.select(0)

    def register(self, *arguments):
        return self._real.register(*arguments)

    def unregister(self, fileobj):
        return self._real.unregister(fileobj)

    def get_map(self):
        return self._real.get_map()

    def close(self):
        self._real.close()


class VirtualTime(asyncio.SelectorEventLoop):
    def __init__(self):
        self._jumping = _Jumping(selectors.DefaultSelector())
        super().__init__(self._jumping)

    def time(self):
        return self._jumping.now

    def run_in_executor(self, executor, func, *args):
        """At once, in this thread: a clock that jumps would not wait for another."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is whoever waits that it concerns
            future.set_exception(error)
        return future


def run(coroutine):
    """Runs it on virtual time; returns what it returns, and the seconds that went by."""
    with asyncio.Runner(loop_factory=VirtualTime) as runner:
        result = runner.run(coroutine)
        return result, runner.get_loop().time()


class _Hurrying(selectors.DefaultSelector):
    """Waits a tenth of what it is asked to."""

    def select(self, timeout=None):
        return super().select(timeout and timeout / HURRY)


class Hurried(asyncio.SelectorEventLoop):
    """An event loop whose clock runs fast: for code that talks to real servers, and pauses in between."""

    def __init__(self):
        super().__init__(_Hurrying())

    def time(self):
        return super().time() * HURRY
