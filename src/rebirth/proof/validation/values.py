"""The fields of an object as the API server reads them: null is nothing, and so is an empty text.

What a variable or SOPS stands in for is not known, and nothing is said of it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from rebirth.proof.schemas.shape import is_open
from rebirth.proof.words import SUBDOMAIN

Fields = Mapping[str, Any]
Path = tuple[str | int, ...]

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # of DNS
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_TEMPLATED = ("<<", "{{")  # what something else fills in first
_NOTHING: Fields = {}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_SHORT = 60  # characters of a value that is shown


class Refusal(NamedTuple):
    """What the API server says no to: the field, and what is wrong with it, as the end of a sentence that begins with the field."""

    path: Path
    words: str
    since: str = ""  # the version of Kubernetes that began to; "": every one does
    unless: str = ""  # under which condition it does not
    by: str = ""  # whose webhook it is that refuses; "": the API server itself


# -- reading


def has(fields: Fields, key: str) -> bool:
    """Whether something is said there at all; `{}` is, null and an empty text are not."""
    found = fields.get(key)
    return found is not None and found != ""


def inner(fields: Fields, *keys: str) -> Fields:
    """The fields below; none where there are none."""
    for key in keys:
        found = fields.get(key)
        if type(found) is not dict and not isinstance(found, Mapping):
            return _NOTHING
        fields = found
    return fields


def entries(fields: Fields, key: str) -> Iterator[tuple[int, Fields]]:
    """The entries of a list that have fields."""
    found = fields.get(key)
    for number, entry in enumerate(found if isinstance(found, list) else ()):
        if isinstance(entry, Mapping):
            yield number, entry


def texts(fields: Fields, key: str) -> Iterator[tuple[int, str]]:
    """The texts of a list that are known, empty ones among them."""
    found = fields.get(key)
    for number, entry in enumerate(found if isinstance(found, list) else ()):
        if isinstance(entry, str) and is_known(entry):
            yield number, entry


def count(fields: Fields, key: str) -> int:
    """How many entries a list has."""
    found = fields.get(key)
    return len(found) if isinstance(found, list) else 0


def text(fields: Fields, key: str) -> str:
    """A text that is known; "" where there is none."""
    found = fields.get(key)
    return found if isinstance(found, str) and is_known(found) else ""


def number(fields: Fields, key: str) -> int | None:
    """A whole number; None where there is none."""
    found = fields.get(key)
    return found if type(found) is int else None


def is_known(value: Any) -> bool:
    """Whether it is what the API server gets, and not what somebody fills in before."""
    return not is_open(value) and not (isinstance(value, str) and any(word in value for word in _TEMPLATED))


# -- what several kinds have in common


def shown(value: Any) -> str:
    """A value as a message shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    said = str(value) if isinstance(value, str | int | float) else ""
    return said if 0 < len(said) <= _SHORT else "empty" if value == "" else f"{len(said)} characters long"


def at_most_one(fields: Fields, path: Path, options: Iterable[str]) -> Iterator[Refusal]:
    """Of these fields one alone may be there."""
    given = [option for option in options if has(fields, option)]
    for other in given[1:]:
        yield Refusal((*path, other), f"is there beside {given[0]}, and only one of them may be")


def just_one(fields: Fields, path: Path, options: Iterable[str], *, named: int = 6) -> Iterator[Refusal]:
    """Of these fields one has to be there, and no other."""
    options = [*options]
    if not any(has(fields, option) for option in options):
        listed = ", ".join(options[:named]) + (", ..." if len(options) > named else "")
        yield Refusal(path, f"has none of {listed}: one of them has to be there")
    yield from at_most_one(fields, path, options)


def at_least(fields: Fields, path: Path, least: int, *keys: str) -> Iterator[Refusal]:
    for key in keys:
        found = number(fields, key)
        if found is not None and found < least:
            yield Refusal((*path, key), f"is {found} and must be at least {least}")


def within(fields: Fields, path: Path, least: int, most: int, *keys: str) -> Iterator[Refusal]:
    for key in keys:
        found = number(fields, key)
        if found is not None and not least <= found <= most:
            yield Refusal((*path, key), f"is {found} and must be from {least} to {most}")


def one_of(fields: Fields, path: Path, key: str, *options: str) -> Iterator[Refusal]:
    found = text(fields, key)
    if found and found not in options:
        yield Refusal((*path, key), f"is {shown(found)} and must be one of {', '.join(options)}")


def choice(fields: Fields, path: Path, key: str, *options: str) -> Iterator[Refusal]:
    """As `one_of`, of a field that is not left out by being empty."""
    if fields.get(key) == "":
        yield Refusal((*path, key), f"is empty and must be one of {', '.join(options)}")
    yield from one_of(fields, path, key, *options)


def needs(fields: Fields, path: Path, *keys: str) -> Iterator[Refusal]:
    """Fields without which nothing goes."""
    for key in keys:
        if not has(fields, key):
            yield Refusal((*path, key), "is empty" if fields.get(key) == "" else "is missing")


def needs_entry(fields: Fields, path: Path, key: str, hint: str = "") -> Iterator[Refusal]:
    """A list that may not be empty."""
    if not count(fields, key) and is_known(fields.get(key)):
        yield Refusal((*path, key), f"has no entry, and needs one{hint}")


def twice(fields: Fields, path: Path, key: str, field: str, what: str) -> Iterator[Refusal]:
    """Entries of a list with the same text in a field."""
    seen: set[str] = set()
    for number, entry in entries(fields, key):
        found = text(entry, field)
        if found in seen:
            yield Refusal((*path, key, number, field), f"is {shown(found)}, which another {what} has, too")
        seen |= {found} - {""}


def unlike(fields: Fields, path: Path, key: str, pattern: re.Pattern[str], wanted: str) -> Iterator[Refusal]:
    """A text that is not written so."""
    found = text(fields, key)
    if found and not pattern.fullmatch(found):
        yield Refusal((*path, key), f"is {shown(found)} and must be {wanted}")


def subdomain(fields: Fields, path: Path, *keys: str) -> Iterator[Refusal]:
    """The name of an object, as nearly all have one."""
    for key in keys:
        yield from unlike(fields, path, key, SUBDOMAIN, "a name: lower-case letters, digits, - and .")


def label_of_dns(fields: Fields, path: Path, *keys: str) -> Iterator[Refusal]:
    for key in keys:
        yield from unlike(fields, path, key, LABEL, "at most 63 lower-case letters, digits and -")


def port(fields: Fields, path: Path, key: str) -> Iterator[Refusal]:
    """The number of a port; 0 is none."""
    found = number(fields, key)
    if found is not None and not 0 <= found <= 65535:
        yield Refusal((*path, key), f"is {found} and must be the number of a port, 1 to 65535")


def steps_back(fields: Fields, path: Path, key: str) -> Iterator[Refusal]:
    """A path with `..` in it."""
    if ".." in text(fields, key).split("/"):
        yield Refusal((*path, key), f"is {shown(fields[key])} and may not have .. in it")


def descends(fields: Fields, path: Path, key: str) -> Iterator[Refusal]:
    """A path inside a folder."""
    if text(fields, key).startswith("/"):
        yield Refusal((*path, key), f"is {shown(fields[key])} and must be a relative path")
    yield from steps_back(fields, path, key)


def is_qualified(name: str) -> bool:
    """Whether it is a name, or one behind a domain: `app`, `example.com/app`."""
    domain, slash, word = name.rpartition("/")
    return bool(_WORD.fullmatch(word)) and (not slash or bool(SUBDOMAIN.fullmatch(domain)))


def is_word(value: str) -> bool:
    """Whether it may be the value of a label."""
    return not value or bool(_WORD.fullmatch(value))


@lru_cache(maxsize=4096)
def amount(value: str | float) -> Decimal | None:
    """A quantity as a number; None where it is none, or not known."""
    match = _QUANTITY.fullmatch(str(value)) if not isinstance(value, bool) else None
    if match is None:
        return None
    number, unit = Decimal(match[1]), match[2] or ""
    if unit in _BINARY:
        return number * (1 << _BINARY[unit])
    return number.scaleb(_DECIMAL[unit] if unit in _DECIMAL else int(unit[1:] or 0))


def amounts(fields: Fields, key: str) -> Iterator[tuple[str, Decimal]]:
    """Quantities by what they are of, as far as they are known."""
    for name, value in inner(fields, key).items():
        found = amount(value) if isinstance(value, str | int | float) else None
        if found is not None and is_known(name):
            yield str(name), found
