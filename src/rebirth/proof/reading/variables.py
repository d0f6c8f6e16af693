"""Flux' variable substitution, `${NAME:=default}`, as kustomize-controller does it (fluxcd/pkg/envsubst, read in its source).

It works on the text of an object, so a value without quotes may become a number, a boolean or a list; kustomize has taken
quotes away that were not needed. A variable that nobody provides becomes empty. `$${` is written for `${`, and every `$$`
becomes `$`. What the little language does not know (`${a.b}`, `${A-x}`) fails the whole Kustomization.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rebirth.proof.reading.yaml_files import UnreadableError, parse, plain

_NAME = re.compile(r"[^\W]+")
_PLAIN = re.compile(r"[^\s,\[\]{}#&*!|>'\"%@`?:-].*", re.DOTALL)  # what YAML writes without quotes, at its beginning
_WORD = re.compile(r"[\w./-]*\w")  # what needs no parser; a date stays text here as there
_QUOTED = re.compile(r":\s|\s#|:$|\n|^\s|\s$")  # what makes it write quotes
_STOP = re.compile(r"[$}]")
_DEEPEST = 20  # variables in defaults of variables


class SubstitutionError(Exception):
    """Flux rejects the text; `piece` is what it does not understand, `path` where it stands in the object."""

    def __init__(self, piece: str, path: tuple[str | int, ...]) -> None:
        super().__init__(piece)
        self.piece, self.path = piece, path


@dataclass
class Variables:
    """What is known of a Kustomization's variables, and what was noticed while they were put in."""

    values: Mapping[str, str]
    hidden: frozenset[str] = frozenset()  # names whose values nobody may see, such as a Secret's
    whole: bool = True  # whether there are no others; else what is not known stays as it is written
    undefined: dict[tuple[str | int, ...], list[str]] = field(default_factory=dict)  # path -> names that became empty

    def into(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The object with its variables replaced. Raises SubstitutionError."""
        if not self.values and not self.hidden and self.whole:
            return data  # Flux leaves texts alone where it has no variable at all
        found: Mapping[str, Any] = self._value(data, ())
        return found

    def _value(self, value: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, str):
            return self._scalar(value, path) if "$" in value else value
        if not _has_variables(value):
            return value  # most parts have none: they need not be made anew
        if isinstance(value, dict):
            return {self._key(key, path): self._value(item, (*path, key)) for key, item in value.items()}
        return [self._value(item, (*path, number)) for number, item in enumerate(value)]

    def _key(self, key: str, path: tuple[str | int, ...]) -> str:
        return str(self._text(key, (*path, key))) if "$" in key else key

    def _scalar(self, text: str, path: tuple[str | int, ...]) -> Any:
        found = self._text(text, path)
        if found == text or not _PLAIN.match(text) or _QUOTED.search(text):
            return found
        if "${" in found:  # a part of it is not known: what the whole would mean, neither
            return found
        if _WORD.fullmatch(found):
            return plain(found)
        try:
            documents = parse(f"- {found}\n")
        except UnreadableError:
            raise SubstitutionError(f"the value at {'.'.join(map(str, path))}", path) from None
        return documents[0].data[0] if documents and isinstance(documents[0].data, list) else found

    def _text(self, text: str, path: tuple[str | int, ...]) -> str:
        return _Reader(text, self, path).all()

    def value(self, name: str, path: tuple[str | int, ...], *, has_default: bool) -> str | None:
        """The value; "" where Flux knows none, None where we do not."""
        if name in self.hidden:
            return None
        found = self.values.get(name)
        if found is None and not self.whole:
            return None
        if found is None and not has_default:
            self.undefined.setdefault(path, []).append(name)
        return found or ""


def _has_variables(value: Any) -> bool:
    if isinstance(value, str):
        return "$" in value
    if isinstance(value, dict):
        for key, item in value.items():
            if "$" in key or ("$" in item if isinstance(item, str) else item and _has_variables(item)):
                return True
    elif isinstance(value, list):
        for item in value:
            if _has_variables(item):
                return True
    return False


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str, variables: Variables, path: tuple[str | int, ...]) -> None:
        self.text, self.at = text, 0
        self.variables, self.path = variables, path

    def all(self) -> str:
        return self._until("")

    def _until(self, end: str, depth: int = 0) -> str:
        """Text up to `end`, which is one of those characters; up to the text's end without any."""
        found: list[str] = []
        text = self.text
        while self.at < len(text) and (not end or text[self.at] not in end):
            if text.startswith("$$", self.at) and not end:
                found.append("$")
                self.at += 2
            elif text.startswith("${", self.at):
                found.append(self._variable(depth))
            else:
                following = _STOP.search(text, self.at + 1)
                stop = following.start() if following else len(text)
                found.append(text[self.at : stop])
                self.at = stop
        return "".join(found)

    def _variable(self, depth: int) -> str:
        start = self.at
        self.at += 2
        counting = self.text[self.at : self.at + 1] == "#"
        self.at += counting
        name = _NAME.match(self.text, self.at)
        if not name or depth > _DEEPEST:
            raise SubstitutionError(self.text[start : start + 40], self.path)
        self.at = name.end()
        rest = self.text[self.at :]
        operator = "" if counting else next((o for o in _OPERATORS if rest.startswith(o)), "")
        self.at += len(operator)
        arguments: list[str] = []
        if operator in _DEFAULTS:
            arguments.append(self._until("}", depth + 1))
        elif operator:
            arguments = self._until("}", depth + 1).split(
                "/" if operator[0] == "/" else ":" if operator == ":" else "\0"
            )
        if self.text[self.at : self.at + 1] != "}":
            raise SubstitutionError(self.text[start : start + 40], self.path)
        self.at += 1
        value = self.variables.value(name[0], self.path, has_default=operator in _DEFAULTS)
        if value is None or operator in _TRIMS:
            return self.text[start : self.at]
        return str(len(value)) if counting else _applied(operator, value, arguments)


_DEFAULTS = (":=", ":-", ":?", ":+", "=")
_TRIMS = ("##", "#", "%%", "%")  # by patterns: left as they are
_OPERATORS = (*_DEFAULTS, *_TRIMS, "^^", "^", ",,", ",", "//", "/#", "/%", "/", ":")


def _applied(operator: str, value: str, arguments: list[str]) -> str:
    if operator in _DEFAULTS:
        return value or "".join(arguments)
    if operator == ":":
        return _cut(value, arguments)
    if operator and operator[0] == "/":
        return _replaced(operator, value, arguments)
    changed = {
        "^^": value.upper(),
        "^": value[:1].upper() + value[1:],
        ",,": value.lower(),
        ",": value[:1].lower() + value[1:],
    }
    return changed.get(operator, value)


def _replaced(operator: str, value: str, arguments: list[str]) -> str:
    old, new = arguments[0], "/".join(arguments[1:])
    if operator == "/#":
        return new + value[len(old) :] if value.startswith(old) else value
    if operator == "/%":
        return value[: len(value) - len(old)] + new if value.endswith(old) else value
    return value.replace(old, new) if operator == "//" else value.replace(old, new, 1)


def _cut(value: str, arguments: list[str]) -> str:
    try:
        start, *length = map(int, arguments)
    except ValueError:
        return value
    start = max(len(value) + start, 0) if start < 0 else start
    return value[start : start + length[0]] if length else value[start:]
