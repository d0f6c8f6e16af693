"""Secrets that are known wherever they turn up: plain, and in base64 at any place of a longer text."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator

MARK = "c0ffeeca11ab1e"  # hexadecimal, as most secrets are; every secret of a simulated castle holds it


def canary(what: str, more: str = "") -> str:
    return f"{MARK}{hashlib.sha256(f'{what} {more}'.encode()).hexdigest()[:18]}"


def _forms() -> Iterator[str]:
    yield MARK
    for before in range(3):
        encoded = b64encode(bytes(before) + MARK.encode()).decode()
        yield encoded[(before * 8 + 5) // 6 : (before + len(MARK)) * 8 // 6]


FORMS = tuple(_forms())


def shown_in(text: str) -> bool:
    """Whether a secret stands there."""
    return any(form in text for form in FORMS)
