"""What may go wrong between the product and a system outside, and what the client libraries make of it."""

import asyncio
import re
import ssl
from dataclasses import dataclass
from enum import Enum


class Break(Enum):
    """How a connection ends that brings no answer."""

    REFUSED = "nobody listens"
    HUNG_UP = "hung up"
    SILENT = "no answer until the client's time-out"
    NO_NAME = "the name does not resolve"
    EXPIRED = "its certificate has expired"
    EARLY = "its certificate is not valid yet"
    STRANGER = "its certificate is signed by somebody else"


_VERIFY_CODES = {Break.EXPIRED: 10, Break.EARLY: 9, Break.STRANGER: 20}  # OpenSSL's


def mistrust(how: Break) -> ssl.SSLCertVerificationError:
    """As Python's ssl raises it; test_certificates.py holds that against real handshakes."""
    error = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {how.value}")
    error.verify_code, error.verify_message = _VERIFY_CODES[how], how.value
    return error


def is_mistrust(how: Break) -> bool:
    return how in _VERIFY_CODES


@dataclass(frozen=True)
class Wrong:
    """What a request, or a call of a program, meets. Several can be combined: slow, and then lost."""

    words: str
    seconds: float = 0.0  # before anything else happens
    status: int | None = None  # answered in the system's place
    body: bytes = b'{"message": "fault"}'
    kind: str = "application/json"
    location: str = ""  # of a redirect
    breaks: Break | None = None
    lost: bool = False  # the request is carried out, and its answer never comes
    said: str | None = None  # a program ends with 1, and says this
    instead: str | None = None  # a program ends with 0, says this, and has done nothing


@dataclass
class Line:
    """The way to one system. `wrong` is what those meet whose method and path match, for as long as it lasts."""

    wrong: Wrong | None = None
    path: str = ""  # regular expression; of a program: of its arguments
    method: str = ""
    until: float | None = None  # the loop's time; None: for good
    times: int | None = None
    struck: int = 0

    def cut(
        self, wrong: Wrong, *, path: str = "", method: str = "", seconds: float | None = None, times: int | None = None
    ) -> None:
        until = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self.wrong, self.path, self.method, self.until, self.times = wrong, path, method, until, times

    def mend(self) -> None:
        self.wrong = None

    def strike(self, method: str, path: str) -> Wrong | None:
        if self.wrong is None or self.method not in {"", method} or not re.search(self.path, path):
            return None
        if self.until is not None and asyncio.get_running_loop().time() >= self.until:
            return None
        if self.times is not None:
            if not self.times:
                return None
            self.times -= 1
        self.struck += 1
        return self.wrong
