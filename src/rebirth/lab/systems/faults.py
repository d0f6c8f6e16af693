"""What the lab's systems are told to do wrong, and how often each was written to."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import h11
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
# These leave nothing behind: a login, a fetch, a question.
_HARMLESS = ("/oauth/token", "/git-upload-pack", "/sys/capabilities-self")
ABORT = "rebirth.abort"
REASON = "x-rebirth-reason"  # the header that `Breakable` makes a reason phrase of


@dataclass(frozen=True)
class Fault:
    """One misbehaviour of one system, for requests whose path and method match. Several can be combined: slow and then dead."""

    delay: float = 0.0  # seconds before anything else happens
    status: int | None = None  # answered instead: the request does not reach the system
    die: bool = False  # the connection ends without an answer: the request does not reach the system
    lose: bool = False  # the request is carried out, then the connection ends without an answer
    times: int | None = None  # how many requests it hits; None: all
    path: str = ""  # regular expression searched in the path
    method: str = ""  # such as POST; empty: any

    def __post_init__(self) -> None:
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is no regular expression: {error}") from None

    def hits(self, method: str, path: str) -> bool:
        return self.times != 0 and self.method.upper() in {"", method} and re.search(self.path, path) is not None


@dataclass
class Faults:
    """Shared by all stood-in systems of one lab."""

    writes: Counter[str] = field(default_factory=Counter)  # by system
    struck: Counter[str] = field(
        default_factory=Counter
    )  # requests that a fault has hit, by system, since the last clear
    _faults: dict[str, Fault] = field(default_factory=dict)

    def set(self, system: str, fault: Fault) -> None:
        """Replaces what the system was told before."""
        self._faults[system] = fault

    def clear(self) -> dict[str, int]:
        """From now on everything works; how many requests a fault has hit, by system. Writes stay counted."""
        self._faults.clear()
        struck, self.struck = dict(self.struck), Counter()
        return struck

    def _strike(self, system: str, method: str, path: str) -> Fault:
        fault = self._faults.get(system)
        if fault is None or not fault.hits(method, path):
            return Fault()
        self.struck[system] += 1
        if fault.times is not None:
            self._faults[system] = replace(fault, times=fault.times - 1)
        return fault

    def around(self, system: str, app: ASGIApp) -> ASGIApp:
        """`app` with its writes counted and its faults in place."""

        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            method, path = scope["method"], scope["path"]
            fault = self._strike(system, method, path)
            await asyncio.sleep(fault.delay)
            if fault.die:
                await _hang_up(scope, receive, send)
                return
            if fault.status is not None:
                await JSONResponse({"message": "fault"}, fault.status)(scope, receive, send)
                return
            if method not in _READS and not path.endswith(_HARMLESS):
                self.writes[system] += 1
            if fault.lose:
                await app(scope, receive, _nowhere)
                await _hang_up(scope, receive, send)
                return
            await app(scope, receive, send)

        return faulty


class _Wordy(h11.Connection):
    """Takes a reason phrase out of a header that only this process sees: ASGI has no other place for one."""

    def send(self, event: h11.Event) -> bytes | None:  # type: ignore[override]  # its overloads say the same, longer
        if isinstance(event, h11.Response) and (reason := dict(event.headers).get(REASON.encode())):
            headers = [(name, value) for name, value in event.headers if name != REASON.encode()]
            event = h11.Response(status_code=event.status_code, headers=headers, reason=reason)
        return super().send(event)


class Breakable(H11Protocol):
    """uvicorn's HTTP, with what nothing in ASGI has: a way for a fault to end the connection, and reason phrases."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = _Wordy(h11.SERVER, 1 << 16)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        app = self.app

        async def breakable(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = scope.get("extensions", {}) | {ABORT: transport.abort}
            await app(scope, receive, send)

        self.app = cast("type", breakable)


async def _nowhere(_: Message) -> None:
    """Where a lost answer goes."""


async def _hang_up(scope: Scope, receive: Receive, send: Send) -> None:
    """Ends the connection without an answer; on a server without `Breakable`, in the middle of one."""
    abort = cast("Callable[[], None] | None", scope.get("extensions", {}).get(ABORT))
    if abort is None:
        await send({"type": "http.response.start", "status": 502, "headers": [(b"content-length", b"1")]})
        return
    abort()
    while (await receive())["type"] != "http.disconnect":
        pass
