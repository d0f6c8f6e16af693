"""Looks up the line of a place: only for what is shown, so files are read again."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rebirth.proof.things import Place

_LARGEST = 16 << 20  # bytes
_DEEPEST = 200  # levels


@dataclass(slots=True)
class _Node:
    """A value's line, and the values in it: by key with the key's line, or by number."""

    line: int
    inside: dict[str | int, tuple[int, "_Node"]] = field(default_factory=dict)


class Lines:
    """Remembers the files that it has looked into."""

    def __init__(self) -> None:
        self._files: dict[str, dict[int, _Node]] = {}

    def line(self, place: Place) -> int:
        """The line (1-based) of `place`; the nearest that is there, where its path is not written in the file."""
        if not place.path or not place.line:
            return place.line
        node = self._documents(place.file).get(place.line)
        line = place.line
        for part in place.path:
            found = node.inside.get(part) if node else None
            if found is None:
                break
            line, node = found
        return line

    def _documents(self, file: str) -> dict[int, _Node]:
        if file not in self._files:
            self._files[file] = found = {}
            try:
                path = Path(file)
                text = (
                    path.read_text(encoding="utf-8-sig") if path.is_file() and path.stat().st_size <= _LARGEST else ""
                )
                for event in (events := iter(yaml.parse(text, Loader=yaml.CSafeLoader))):
                    if isinstance(event, yaml.DocumentStartEvent):
                        node = _node(next(events), events, {}, 0)
                        found[node.line] = node
            except (OSError, ValueError, yaml.YAMLError, RecursionError, StopIteration):
                pass  # what has been read until then is true
        return self._files[file]


def _node(event: Any, events: Any, anchors: dict[str, _Node], depth: int) -> _Node:
    if depth > _DEEPEST:
        raise ValueError(depth)
    if isinstance(event, yaml.AliasEvent):
        # What it stands for is written elsewhere: its own line is where the alias is.
        return _Node(_line(event), anchors[event.anchor].inside if event.anchor in anchors else {})
    node = _Node(_line(event))
    if event.anchor:
        anchors[event.anchor] = node
    if isinstance(event, yaml.SequenceStartEvent):
        number = 0
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            inner = _node(item, events, anchors, depth + 1)
            node.inside[number] = (inner.line, inner)
            number += 1
    elif isinstance(event, yaml.MappingStartEvent):
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            line = _line(key)
            word = key.value if isinstance(key, yaml.ScalarEvent) else None
            if word is None:
                _node(key, events, anchors, depth + 1)
            inner = _node(next(events), events, anchors, depth + 1)
            if word is not None:
                node.inside[word] = (line, inner)
    return node


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1
