"""Versions and constraints as Helm and Flux take them: github.com/Masterminds/semver/v3 v3.5, which is not npm's reading.

A version may begin with v and leave out minor and patch; numbers may begin with 0. Pre-releases satisfy a constraint only if
one of its alternative has a pre-release itself.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import total_ordering

_PRE = r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION = re.compile(rf"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?{_PRE}")
_NUMBERS = r"v?[0-9xX*]+(?:\.[0-9xX*]+)?(?:\.[0-9xX*]+)?"
_WRITTEN = _NUMBERS + _PRE.replace("?P<pre>", "?:")
_ONE = rf"(?:=|!=|>=|=>|<=|=<|~>|>|<|~|\^)?\s*{_WRITTEN}"
_SEVERAL = re.compile(rf"\s*{_ONE}\s*(?:(?:\s+|,\s*){_ONE}\s*)*")
_RANGE = re.compile(rf"\s*({_WRITTEN})\s+-\s+({_WRITTEN})\s*")
_PARTS = re.compile(rf"(?P<sign>[=!<>~^]*)\s*v?(?P<numbers>[0-9xX*.]+){_PRE}")
_WHOLE = 3  # numbers of a version


@total_ordering
@dataclass(frozen=True, eq=False)
class Version:
    """A version; build metadata is no part of its order."""

    written: str
    core: tuple[int, ...]
    pre: tuple[tuple[int, int, str], ...] = ()

    @classmethod
    def parse(cls, written: str) -> "Version | None":
        """None where it is no version."""
        found = _VERSION.fullmatch(written)
        if not found:
            return None
        return cls(written, tuple(int(part or 0) for part in found.groups()[:_WHOLE]), _identifiers(found["pre"]))

    @property
    def _order(self) -> tuple[object, ...]:
        return self.core, not self.pre, self.pre

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._order == other._order

    def __lt__(self, other: "Version") -> bool:
        return self._order < other._order

    def __hash__(self) -> int:
        return hash(self._order)


def _identifiers(pre: str | None) -> tuple[tuple[int, int, str], ...]:
    """Numbers in order of size, and before words."""
    parts = pre.split(".") if pre else []
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


@dataclass(frozen=True)
class Constraint:
    """What `version` of a chart may say: alternatives of conditions that hold together. Raises ValueError."""

    written: str
    _alternatives: tuple[tuple["_Condition", ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        text = _RANGE.sub(r">=\1, <=\2 ", self.written) if self.written.strip() else "*"
        object.__setattr__(self, "_alternatives", tuple(map(_conditions, text.split("||"))))

    def allows(self, version: Version) -> bool:
        return any(
            all(condition.holds(version) for condition in conditions)
            for conditions in self._alternatives
            if not version.pre or any(condition.version.pre for condition in conditions)
        )


@dataclass(frozen=True)
class _Condition:
    sign: str
    version: Version  # numbers that are left open are 0
    given: int  # how many numbers are not left open

    def holds(self, version: Version) -> bool:
        return _SIGNS[self.sign](version, self.version, self.given)


def _same(version: Version, bound: Version, numbers: int) -> bool:
    return version.core[:numbers] == bound.core[:numbers]


def _equal(version: Version, bound: Version, given: int) -> bool:
    return version == bound if given == _WHOLE else _tilde(version, bound, given)


def _greater(version: Version, bound: Version, given: int) -> bool:
    return version > bound if given == _WHOLE else version.core[:given] > bound.core[:given]


def _at_most(version: Version, bound: Version, given: int) -> bool:
    return version <= bound if given == _WHOLE else version.core[:given] <= bound.core[:given]


def _tilde(version: Version, bound: Version, given: int) -> bool:
    if given == _WHOLE and not any(bound.core):
        return version >= bound  # ~0.0.0 is any version
    return version >= bound and _same(version, bound, min(given, 2))


def _caret(version: Version, bound: Version, given: int) -> bool:
    """The first number that is not 0 stays as it is."""
    fixed = next((at for at, number in enumerate(bound.core, 1) if number), _WHOLE)
    return version >= bound and _same(version, bound, min(given, fixed))


_SIGNS: dict[str, Callable[[Version, Version, int], bool]] = {
    "": _equal,
    "=": _equal,
    "!=": lambda version, bound, given: not _equal(version, bound, given),
    ">": _greater,
    "<": lambda version, bound, _: version < bound,
    ">=": lambda version, bound, _: version >= bound,
    "=>": lambda version, bound, _: version >= bound,
    "<=": _at_most,
    "=<": _at_most,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}


# As how many numbers given Masterminds takes x alone, which is 0.0.0, after these signs.
_ANY = {"!=": _WHOLE, ">": _WHOLE, "^": _WHOLE, "<=": 2, "=<": 2}


def _conditions(text: str) -> tuple[_Condition, ...]:
    if not _SEVERAL.fullmatch(text):
        raise ValueError(f"{text.strip()!r} is no version and no range of versions")
    return tuple(_condition(found) for found in _PARTS.finditer(text))


def _condition(found: re.Match[str]) -> _Condition:
    numbers = found["numbers"].split(".")
    given = next((at for at, part in enumerate(numbers) if not part.isdecimal()), len(numbers))
    core = [int(part) for part in numbers[:given]] + [0] * (_WHOLE - given)
    version = Version(found[0], tuple(core), _identifiers(found["pre"]))
    return _Condition(found["sign"], version, given or _ANY.get(found["sign"], 0))


def newest(written: Iterable[str], constraint: str = "") -> str | None:
    """Which of these versions Flux takes for `version: constraint`: the very same words, else the newest that is allowed.

    None where there is none. Raises ValueError where the constraint is neither a version nor a range.
    """
    offered = list(written)
    if constraint in offered:
        return constraint
    allowed = Constraint(constraint)
    # Flux takes no version for one that lacks a number: fluxcd/pkg version.ParseVersion.
    versions = [version for one in offered if one.count(".") >= _WHOLE - 1 and (version := Version.parse(one))]
    found = max(filter(allowed.allows, versions), default=None)
    return found.written if found else None
