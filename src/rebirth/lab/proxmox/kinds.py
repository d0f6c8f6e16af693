"""What a parameter of the API may be, and the words in which Proxmox refuses another (PVE/JSONSchema.pm of pve-common)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rebirth.lab.proxmox.errors import MISSING, UNKNOWN, refused

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_LIKE = {"boolean": re.compile("[01]"), "integer": re.compile(r"[+-]?\d+"), "number": _NUMBER}
_NUMBERED = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True)
class Kind:
    """One parameter. `form` says why a value is malformed, in Proxmox' words; `count`: NAME[n] takes n below that."""

    type: str = "string"  # string, boolean, integer or number
    required: bool = False
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    longest: int | None = None  # characters
    needs: str = ""  # another parameter that has to come with it
    form: Callable[[str], str | None] | None = None
    count: int = 0

    def refuses(self, value: str) -> str | None:
        """Why it is not taken."""
        if (like := _LIKE.get(self.type)) and not like.fullmatch(value):
            return f"type check ('{self.type}') failed - got '{value}'"
        if self.form and (reason := self.form(value)):
            return f"invalid format - {reason}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return "value does not match the regex pattern"
        if self.longest is not None and len(value) > self.longest:
            return f"value may only be {self.longest} characters long"
        if self.choices and value not in self.choices:
            return f"value '{value}' does not have a value in the enumeration '{', '.join(self.choices)}'"
        return self._beyond(float(value)) if _NUMBER.fullmatch(value) else None

    def _beyond(self, value: float) -> str | None:
        if self.most is not None and value > self.most:
            return f"value must have a maximum value of {self.most:.0f}"
        if self.least is not None and value < self.least:
            return f"value must have a minimum value of {self.least:.0f}"
        return None


Kinds = Mapping[str, Kind]

TEXT, FLAG = Kind(), Kind("boolean")


def whole(least: int | None = None, most: int | None = None, *, required: bool = False) -> Kind:
    """An integer."""
    return Kind("integer", required, least, most)


def one_of(choices: str, *, required: bool = False) -> Kind:
    """One of these words."""
    return Kind(choices=tuple(choices.split()), required=required)


def kind_of(kinds: Kinds, name: str) -> Kind | None:
    """Of a parameter, where net0 is one of net[n]."""
    if name in kinds:
        return None if name.endswith("[n]") else kinds[name]
    if not (numbered := _NUMBERED.fullmatch(name)):
        return None
    family, number = kinds.get(f"{numbered[1]}[n]"), numbered[2]
    return family if family and number == str(int(number)) and int(number) < family.count else None


def verify(kinds: Kinds, given: Mapping[str, str]) -> None:
    """Raises for everything that is unknown, missing or malformed, all at once."""
    wrong = {name: MISSING for name, kind in kinds.items() if kind.required and name not in given}
    for name, value in given.items():
        kind = kind_of(kinds, name)
        if reason := kind.refuses(value) if kind else UNKNOWN:
            wrong[name] = reason
        if kind and kind.needs and kind.needs not in given:
            wrong[kind.needs] = f"missing property required by '{name}'"
    if wrong:
        raise refused(wrong)
