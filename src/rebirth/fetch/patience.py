"""How long one request is repeated: what answers 429 or 5xx, or not at all, is asked again, and not for ever."""

import datetime as dt
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx2 as httpx

from rebirth.errors import Broken, NoAnswer, NotYet
from rebirth.run.waiting import now, until

T = TypeVar("T")
PATIENCE = 120.0  # seconds without any progress
_SILENCE = 8  # who does not answer at all is given up in the eighth part of it, and then not asked again
_FIRST, _SLOWEST = 0.5, 15.0  # seconds between two attempts
_PASSING = {408, 425, 429}  # and everything from 500 on but what no server will ever do
_NEVER = {501, 505}
_ALTOGETHER = {429, 502, 503, 504}  # of a host that is overrun, or is not there behind its proxy


class Busy(NotYet):
    """Answers that it cannot, now. `pause` is how long it asks to be left alone, in seconds, where it says so; `altogether`:
    this is said of all that it is asked for.
    """

    def __init__(self, message: str, pause: float = 0.0, *, altogether: bool = False) -> None:
        super().__init__(message)
        self.pause, self.altogether = pause, altogether


class Patience:
    """One for each system that is asked: what asks one of its requests to wait lets all of them wait."""

    def __init__(self, limit: float = PATIENCE, tell: Callable[[str], None] = lambda _: None) -> None:
        """`tell` hears what is waited for."""
        self._limit, self._tell = limit, tell
        self._not_before = 0.0
        self._gone = ""  # why it is given up
        self._told = ""

    async def asked(self, look: Callable[[], Awaitable[T]], *, system: str, operation: str) -> T:
        """The answer of `look`, which raises NotYet where asking again may help, and Progress where it got further.

        Raises Broken with what was seen last, once there was no progress for as long as it takes.
        """
        since = now()
        if self._gone:
            raise Broken(self._gone, system=system, operation=operation)

        async def attempt() -> T:
            nonlocal since
            if (left := self._not_before - now()) > 0:
                raise NotYet(f"{system} asks to wait {left:.0f} s")
            try:
                return await look()
            except NotYet as error:
                since = now() if isinstance(error, Progress) else since
                self._consider(error, since, system, operation)
                raise

        return await until(attempt, what=operation, every=_FIRST, slowest=_SLOWEST)

    def _consider(self, error: NotYet, since: float, system: str, operation: str) -> None:
        """Raises Broken where it is not worth to wait any longer."""
        pause = error.pause if isinstance(error, Busy) else 0.0
        silent = isinstance(error, NoAnswer)
        if now() + pause - since > (self._limit / _SILENCE if silent else self._limit):
            asks = f", and asks to wait {pause:.0f} s" if pause else ""
            words = f"gave up after {now() - since:.0f} s; last: {error}{asks}"
            self._gone = words if silent or (isinstance(error, Busy) and error.altogether) else ""
            raise Broken(words, system=system, operation=operation)
        self._not_before = max(self._not_before, now() + pause)
        words = f"{system}: {error}" + (f"; waits {pause:.0f} s" if pause else "")
        if words != self._told:
            self._told = words
            self._tell(words)


class Progress(NotYet):
    """It broke off, and something had come by then: the time that is waited begins anew."""


def require_lasting(response: httpx.Response) -> None:
    """Raises Busy where an answer says that another time it may be another."""
    status = response.status_code
    if status in _PASSING or (status >= 500 and status not in _NEVER):
        pause = _pause(response.headers.get("retry-after", ""))
        raise Busy(f"HTTP {status}", pause, altogether=status in _ALTOGETHER)


def _pause(written: str) -> float:
    """Seconds of a Retry-After, which is a number or a date."""
    if written.strip().isdecimal():
        return float(written)
    try:
        when = parsedate_to_datetime(written)
    except ValueError:
        return 0.0
    return max(0.0, (when - dt.datetime.now(when.tzinfo)).total_seconds())
