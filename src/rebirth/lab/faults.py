"""What the lab's systems are told to do wrong, and how often each was written to."""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field, replace

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Fault:
    """One misbehaviour of one system, for requests whose path matches."""

    delay: float = 0.0  # seconds before the answer
    status: int | None = None  # answered instead
    die: bool = False  # the connection ends without an answer
    times: int | None = None  # how many requests it hits; None: all
    path: str = ""  # regular expression searched in the path


@dataclass
class Faults:
    """Shared by all stood-in systems of one lab."""

    writes: Counter[str] = field(default_factory=Counter)
    _faults: dict[str, Fault] = field(default_factory=dict)

    def set(self, system: str, fault: Fault) -> None:
        self._faults[system] = fault

    def clear(self) -> None:
        self._faults.clear()

    def _strike(self, system: str, path: str) -> Fault | None:
        fault = self._faults.get(system)
        if fault is None or not re.search(fault.path, path) or fault.times == 0:
            return None
        if fault.times is not None:
            self._faults[system] = replace(fault, times=fault.times - 1)
        return fault

    def around(self, system: str, app: ASGIApp) -> ASGIApp:
        """`app` with its writes counted and its faults in place."""

        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            if fault := self._strike(system, scope["path"]):
                await asyncio.sleep(fault.delay)
                if fault.die:
                    raise ConnectionResetError(f"{system} was told to die")
                if fault.status is not None:
                    await JSONResponse({"message": "fault"}, fault.status)(scope, receive, send)
                    return
            # A login writes nothing that stays.
            if scope["method"] not in _READS and not scope["path"].endswith(
                ("/oauth/token", "/lab/heartbeat", "/git-upload-pack")
            ):
                self.writes[system] += 1
            await app(scope, receive, send)

        return faulty
