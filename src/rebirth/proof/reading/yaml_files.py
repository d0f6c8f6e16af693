"""Reads YAML files of a repository that nobody here wrote: fast, with the lines of documents, and within bounds.

Values are resolved as kustomize resolves them, through which everything goes that Flux applies: only true and false are
booleans (`off` stays text), `012` is ten, `1e3` a number, dates stay text. Built from libyaml's events: so an anchor may be
named twice (a later one replaces the first), nesting costs no stack, and what aliases multiply is counted.
"""

import codecs
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rebirth.proof.reading.texts.lines import Lines

LARGEST = 16 << 20  # bytes; bundles of CRDs have a few million
_DEEPEST = 200  # levels
_MOST = 2_000_000  # values in one document, aliases followed


class UnreadableError(Exception):
    """A file that cannot be read as YAML; says why in words of ours, never quoting its text.

    `ours` where it is our bound that it goes beyond: it need not be wrong.
    """

    def __init__(self, words: str, line: int = 0, *, ours: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.line = line
        self.ours = ours


@dataclass(frozen=True, slots=True)
class Document:
    data: Any
    line: int  # of its first value, 1-based
    doubles: tuple[tuple[str, int], ...] = ()  # keys that stand twice, with the line of the second


def read(file: Path) -> list[Document]:
    """The documents of a file, empty ones left out. Raises UnreadableError."""
    return parse(text_of(file))


def text_of(file: Path) -> str:
    """Raises UnreadableError where the file is no text of a bearable size."""
    return decoded(content_of(file))


def content_of(file: Path) -> bytes:
    """Raises UnreadableError where it is no file of a bearable size."""
    try:
        if not file.is_file():
            raise UnreadableError("is not a file")
        if file.stat().st_size > LARGEST:
            raise UnreadableError(f"is larger than {LARGEST >> 20} MiB", ours=True)
        return file.read_bytes()
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from None


def decoded(content: bytes) -> str:
    """The text of a file, in UTF-8 or, with a mark that says so, in UTF-16, which kustomize reads, too. Raises UnreadableError."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise UnreadableError("is not text") from None


def parse(text: str) -> list[Document]:
    """The documents of a text, empty ones left out. Raises UnreadableError."""
    try:
        return list(_documents(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise UnreadableError(f"is not YAML: {_problem(error, text, line)}", line) from None
    except yaml.YAMLError:
        raise UnreadableError("contains characters that YAML does not allow") from None
    except RecursionError:
        raise UnreadableError("is nested too deeply", ours=True) from None
    except (ValueError, TypeError, OverflowError):
        raise UnreadableError("contains a value that is not valid YAML") from None


def _problem(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    """The parser's words; a tab it does not call by its name."""
    lines = text.splitlines()
    there = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in there[: len(there) - len(there.lstrip())]:
        return "the line is indented with a tab, where only spaces are allowed"
    return str(error.problem)


def _documents(text: str) -> Iterator[Document]:
    if "\x00" in text:
        raise UnreadableError("is not text")
    loader = yaml.CSafeLoader(text)
    try:
        builder = _Builder(loader.get_event)
        while not builder.ended:
            data, line = builder.document()
            if data is not None and data != "":
                yield Document(data, line, tuple(builder.doubles))
    finally:
        loader.dispose()


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    into: Any
    anchor: str | None = None
    since: int = 0  # how many values had been read before it
    depth: int = 0  # levels below it
    key: str | None = None  # the key that waits for its value
    key_line: int = 0
    merged: list[Any] = field(default_factory=list)  # values of `<<`, which give way to what is written

    def put(self, value: Any, event: Any, doubles: list[tuple[str, int]]) -> None:
        if isinstance(self.into, list):
            self.into.append(value)
        elif self.key is None:
            # Kubernetes knows text alone as a key.
            self.key = sys.intern(event.value if isinstance(event, yaml.ScalarEvent) else _word(value, event))
            self.key_line = event.start_mark.line + 1
        else:
            if self.key == _MERGE:
                self.merged += value if isinstance(value, list) else [value]
            else:
                if self.key in self.into:
                    doubles.append((self.key, self.key_line))
                self.into[self.key] = value
            self.key = None

    def done(self) -> Any:
        for merged in self.merged:
            if isinstance(merged, dict):
                for key, value in merged.items():
                    self.into.setdefault(key, value)
        return self.into


def _word(value: Any, event: Any) -> str:
    if not isinstance(value, str):
        raise UnreadableError("has a key that is not a string", event.start_mark.line + 1)
    return value


class _Builder:
    """Makes values out of libyaml's events."""

    def __init__(self, event: Callable[[], Any]) -> None:
        self._event = event
        self.ended = False
        self.doubles: list[tuple[str, int]] = []
        self._anchors: dict[str, tuple[Any, int, int]] = {}  # the value, how many values it holds, how deep it goes
        self._count = 0

    def document(self) -> tuple[Any, int]:
        """The next document's value and first line; None where there is none."""
        event = self._event()
        while not isinstance(event, yaml.DocumentStartEvent):
            if isinstance(event, yaml.StreamEndEvent):
                self.ended = True
                return None, 0
            event = self._event()
        self.doubles, self._anchors, self._count = [], {}, 0
        first = self._event()
        return self._value(first), first.start_mark.line + 1

    def _value(self, event: Any) -> Any:
        stack = [_Open([])]
        while True:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                value = _scalar(event)
                if event.anchor:
                    self._anchors[event.anchor] = (value, 1, 0)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(stack) > _DEEPEST:
                    raise UnreadableError("is nested too deeply", event.start_mark.line + 1, ours=True)
                stack.append(_Open({} if kind is yaml.MappingStartEvent else [], event.anchor, self._count))
                event = self._event()
                continue
            elif kind is yaml.AliasEvent:
                value = self._alias(event, stack)
            elif kind is yaml.DocumentEndEvent:
                return stack[0].into[0] if stack[0].into else None
            else:
                value = self._end(stack)
            self._count += 1
            if self._count > _MOST:
                raise UnreadableError("grows without bound", event.start_mark.line + 1, ours=True)
            stack[-1].put(value, event, self.doubles)
            event = self._event()

    def _end(self, stack: list[_Open]) -> Any:
        ended = stack.pop()
        value = ended.done()
        if ended.anchor:
            self._anchors[ended.anchor] = (value, self._count - ended.since, ended.depth + 1)
        stack[-1].depth = max(stack[-1].depth, ended.depth + 1)
        return value

    def _alias(self, event: Any, stack: list[_Open]) -> Any:
        if event.anchor not in self._anchors:
            raise UnreadableError("refers to an undefined anchor", event.start_mark.line + 1)
        value, count, depth = self._anchors[event.anchor]
        self._count += count
        if len(stack) + depth > _DEEPEST:
            raise UnreadableError("grows without bound through its aliases", event.start_mark.line + 1, ours=True)
        stack[-1].depth = max(stack[-1].depth, depth)
        return value


_MERGE = "<<"
_FIRST = frozenset("-+.0123456789tTfFnN~")  # what a plain value that is no text begins with
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan,
    ".inf": math.inf, ".Inf": math.inf, ".INF": math.inf, "+.inf": math.inf, "-.inf": -math.inf,
}  # fmt: skip


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.implicit[0]:
        return plain(text)
    tag = event.tag
    if tag is None or tag == "!" or not tag.startswith("tag:yaml.org,2002:"):
        # An unknown tag (`!reference`, `!Ref`) is somebody else's language: the value under it stays unread.
        return text if tag in {None, "!"} else None
    return text if tag.endswith((":str", ":binary", ":timestamp")) else plain(text)


def plain(text: str) -> Any:
    """What an unquoted word means."""
    if text and text[0] not in _FIRST:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _whole(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _whole(text: str) -> Any:
    digits = text.replace("_", "").lower()
    if len(digits) > _LONGEST:
        return float(digits) if digits.lstrip("+-").isdigit() else text
    bare = digits.lstrip("+-")
    octal = len(bare) > 1 and bare[0] == "0" and bare[1] not in "box"
    if octal and not set(bare) <= set("01234567"):
        return float(digits)
    number = int(bare, 8) if octal else int(bare, 0)
    return -number if digits.startswith("-") else number


_LONGEST = 40  # digits of a number that is kept exactly

__all__ = [
    "LARGEST",
    "Document",
    "Lines",
    "UnreadableError",
    "content_of",
    "decoded",
    "parse",
    "plain",
    "read",
    "text_of",
]
