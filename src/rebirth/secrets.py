"""Resolved secrets, and the redaction that stands before every sink. How castle.yaml names one: `castle/reference.py`."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

REDACTED = "[secret]"
VARIABLE = "REBIRTH_SECRET_"  # how the name of an environment variable begins that holds a secret
_SHORTEST = 4  # shorter values would blank out ordinary text
_SHORTEST_FORM = 8  # the same, of what is derived from a value
_PIECE = 16  # characters of base64 by which a part of a long value is known
_GAP = 4  # characters between two parts of the same value, such as an encoded line break
_BASE64_RUN = re.compile(rf"[A-Za-z0-9+/_-]{{{_PIECE},}}")
_STANDARD = str.maketrans("-_", "+/")


@dataclass(frozen=True, repr=False)
class Secret:
    """A resolved secret. Shows itself nowhere; `reveal()` is the only way to the value."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return REDACTED

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


class Redaction:
    """Knows every secret value of a run and takes it out of text before the text reaches a sink.

    Besides the value as it is: as a URL, JSON, and base64 at any place of a longer text carry it, and parts of what is long
    in base64 (a line of a key file, or of its encoding), wherever it is cut off.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._learned: set[str] = set()
        self._forms: set[str] = set()
        self._pieces: set[str] = set()  # of base64, _PIECE characters each, in the standard alphabet
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: Secret) -> None:
        """From now on `secret` is taken out; each line of a value of several lines (PEM) counts for itself."""
        value = secret.reveal()
        if value in self._learned:
            return
        self._learned.add(value)
        lines = [line.strip() for line in value.splitlines() if not line.startswith("-----")]
        several = len(value.splitlines()) > 1
        whole = {part for part in (value, value.strip()) if len(part.strip()) >= _SHORTEST}
        parts = {line for line in lines if len(line) >= (_SHORTEST_FORM if several else _SHORTEST)}
        for part in whole | parts:
            self._forms |= {part, *(form for form in _escaped(part) if len(form) >= _SHORTEST_FORM)}
        for part in parts:
            for encoded in _in_base64(part):
                self._learn_base64(encoded)
            if several and _BASE64_RUN.fullmatch(part.rstrip("=")):
                self._learn_base64(part.rstrip("="))
                self._forms.discard(part)  # its pieces say the same, and a long list of alternatives is slow
        self._pattern = None

    def _learn_base64(self, encoded: str) -> None:
        if len(encoded) >= _PIECE:
            self._pieces |= _pieces(encoded.translate(_STANDARD))
        elif len(encoded) >= _SHORTEST_FORM:
            self._forms |= {encoded, encoded.replace("+", "-").replace("/", "_")}

    def redact(self, text: str) -> str:
        if not self._forms:
            return text
        if self._pattern is None:  # made only now: a run learns many secrets before it says anything
            self._pattern = re.compile(_any_of(self._forms))
        return _BASE64_RUN.sub(self._without_pieces, self._pattern.sub(REDACTED, text))

    def _without_pieces(self, run: re.Match[str]) -> str:
        """A run of base64 characters without what is known of it."""
        text = run[0]
        standard = text.translate(_STANDARD)
        kept: list[str] = []
        end = 0  # what is kept so far; up to where it was looked at
        known = [at for at in range(len(text) - _PIECE + 1) if standard[at : at + _PIECE] in self._pieces]
        for at in known:
            if at > end + _GAP or not kept:
                kept += [text[end:at], REDACTED]
            end = at + _PIECE
        return "".join([*kept, text[end:]])


def _any_of(forms: Iterable[str], depth: int = 2) -> str:
    """A pattern for the longest of them; by their first characters, or each would be tried at every place of a text."""
    if depth == 0:
        return "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    tails: dict[str, list[str]] = {}
    for form in forms:
        tails.setdefault(form[0], []).append(form[1:])
    return "|".join(f"{re.escape(first)}(?:{_any_of(rest, depth - 1)})" for first, rest in tails.items())


def _escaped(value: str) -> Iterator[str]:
    """The value as URLs and JSON carry it."""
    for quoted in (quote(value), quote(value, safe=""), quote_plus(value)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), quoted)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]


def _in_base64(value: str) -> Iterator[str]:
    """What base64 makes of the value at each of the three places where it can begin, without what its neighbours share in."""
    raw = value.encode()
    for before in range(3):
        encoded = b64encode(bytes(before) + raw).decode()
        whole = (before + len(raw)) * 8 // 6  # characters that hold no bit of what follows
        yield encoded[(before * 8 + 5) // 6 : whole]


def _pieces(encoded: str) -> set[str]:
    return {encoded[at : at + _PIECE] for at in range(len(encoded) - _PIECE + 1)}
