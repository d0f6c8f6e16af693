"""Reads YAML files of a repository that nobody here wrote: fast, with the lines of documents, and within bounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rebirth.graph import Place

LARGEST = 16 << 20  # bytes; bundles of CRDs have a few million
_DEEPEST = 200  # levels
_MOST = 2_000_000  # values in one document, aliases followed


class UnreadableError(Exception):
    """A file that cannot be read as YAML; says why in words of ours, never quoting its text."""

    def __init__(self, words: str, line: int = 0) -> None:
        super().__init__(words)
        self.words = words
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    data: Any
    line: int  # of its first value, 1-based
    doubles: tuple[tuple[str, int], ...] = ()  # keys that stand twice, with the line of the second


class _Loader(yaml.CSafeLoader):
    """YAML 1.1 as Kubernetes reads it, but dates stay text. A key that stands twice is noted."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.doubles: list[tuple[str, int]] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        written = len(node.value)
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < written:
            seen: set[str] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    if key.value in seen:
                        self.doubles.append((key.value, key.start_mark.line + 1))
                    seen.add(key.value)
        return mapping


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
# An unknown tag (`!reference`, `!Ref`) is somebody else's language: the value under it stays unread.
_Loader.add_constructor(None, lambda _loader, _node: None)


def read(file: Path) -> list[Document]:
    """The documents of a file, empty ones left out. Raises UnreadableError."""
    try:
        if file.stat().st_size > LARGEST:
            raise UnreadableError(f"is larger than {LARGEST >> 20} MiB")
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("is not text") from None
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from None
    return parse(text)


def parse(text: str) -> list[Document]:
    """The documents of a text, empty ones left out. Raises UnreadableError."""
    try:
        return list(_documents(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise UnreadableError(f"is not YAML: {error.problem}", line) from None
    except yaml.YAMLError:
        raise UnreadableError("holds characters that YAML does not allow") from None
    except RecursionError:
        raise UnreadableError("is nested too deep") from None
    except (ValueError, TypeError, OverflowError):
        raise UnreadableError("holds a value that YAML cannot mean") from None


def _documents(text: str) -> Iterator[Document]:
    if "\x00" in text:
        raise UnreadableError("is not text")
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
                continue
            loader.doubles = []
            data = loader.construct_document(node)
            if _ALIAS in text:
                _weigh(data, 0, [_MOST])
            yield Document(data, node.start_mark.line + 1, tuple(loader.doubles))
    finally:
        loader.dispose()


_ALIAS = "*"


def _weigh(value: Any, depth: int, left: list[int]) -> None:
    """Raises UnreadableError where aliases make a document endless or huge."""
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        raise UnreadableError("grows beyond all bounds through its aliases")
    if isinstance(value, dict):
        for item in value.values():
            _weigh(item, depth + 1, left)
    elif isinstance(value, list):
        for item in value:
            _weigh(item, depth + 1, left)


class Lines:
    """Looks up the line of a place: only for what is shown, so files are read again."""

    def __init__(self) -> None:
        self._files: dict[str, dict[int, yaml.Node]] = {}

    def line(self, place: Place) -> int:
        """The line (1-based) of `place`; the nearest that is there, where its path is not written in the file."""
        if not place.path or not place.line:
            return place.line
        node = self._document(place.file, place.line)
        line = place.line
        for part in place.path:
            if isinstance(node, yaml.MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
                if not found:
                    break
                line, node = found[0].start_mark.line + 1, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def _document(self, file: str, line: int) -> yaml.Node | None:
        if file not in self._files:
            try:
                text = Path(file).read_text(encoding="utf-8-sig")
                nodes = [node for node in yaml.compose_all(text, Loader=yaml.CSafeLoader) if node is not None]
            except (OSError, ValueError, yaml.YAMLError, RecursionError):
                nodes = []
            self._files[file] = {node.start_mark.line + 1: node for node in nodes}
        return self._files[file].get(line)
