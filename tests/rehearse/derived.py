"""Mistakes in objects that the API server takes, one each, derived from the objects themselves: what is forgotten, copied and not edited,
indented otherwise, mistyped, or taken over from an object of the same kind elsewhere.
"""

import copy
import itertools
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from rebirth.proof.schemas import bundle
from rebirth.proof.schemas.shape import Shape

Path = tuple[str | int, ...]
_NUMBERS = (0, -1, 70000)
_TEXTS = ("", "Not_A_Name!", "UPPER", "a b", "../a", "/a", "1", "x" * 70, "Nonsense", "10GB")
_OF_EVERY = frozenset({"apiVersion", "kind"})


class Case(NamedTuple):
    kind: str
    words: str
    item: dict[str, Any]


def shape_of(item: dict[str, Any]) -> Shape:
    group, _, version = item["apiVersion"].rpartition("/")
    found = bundle.shape(group, version, item["kind"])
    assert found is not None, item["kind"]
    return found


def cases(items: list[dict[str, Any]], seed: int, most: int) -> list[Case]:
    """At most so many of each object, chosen by the seed."""
    donors: dict[int, dict[str, Any]] = {}
    for item in items:
        for _, shape, value in _mappings(item, shape_of(item), ()):
            donors.setdefault(id(shape.properties), {}).update(value)
    found = []
    for item in items:
        made = [*_of(item, donors)]
        chosen = random.Random(f"{seed} {item['kind']} {item['metadata']['name']}")
        found += [made[at] for at in sorted(chosen.sample(range(len(made)), min(most, len(made))))]
    return found


def _mappings(value: Any, shape: Shape | None, path: Path) -> Iterator[tuple[Path, Shape, dict[str, Any]]]:
    """Every mapping that has fields of its own, with its schema."""
    if shape is None:
        return
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _mappings(entry, shape.items, (*path, number))
    elif isinstance(value, dict) and shape.properties is not None:
        yield path, shape, value
        for key, entry in value.items():
            yield from _mappings(entry, shape.field(key), (*path, key))
    elif isinstance(value, dict) and shape.more is not None:
        for key, entry in value.items():
            yield from _mappings(entry, shape.more, (*path, key))


def _of(item: dict[str, Any], donors: dict[int, dict[str, Any]]) -> Iterator[Case]:
    for words, mistaken in (*_each(item, item, ()), *_taken_over(item, donors)):
        yield Case(item["kind"], f"{item['metadata']['name']}: {words}", mistaken)


def _taken_over(item: dict[str, Any], donors: dict[int, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A field more, which others of the same kind have."""
    for path, shape, value in _mappings(item, shape_of(item), ()):
        for key, given in donors[id(shape.properties)].items():
            if path and path[0] != "metadata" and key not in value:
                yield f"{_dotted(path)} + {key}", _with(item, (*path, key), given)
            elif path and path[0] != "metadata" and value[key] != given and len(path) > 1:
                yield f"{_dotted(path)}.{key} = another's", _with(item, (*path, key), given)


def _each(item: dict[str, Any], value: Any, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    where = _dotted(path)
    if isinstance(value, dict):
        for key, inner in value.items():
            if path != ("metadata",) and (path or key not in _OF_EVERY | {"metadata"}):
                yield f"{where} - {key}", _without(item, (*path, key))
            if path != ("metadata",) and (path or key not in _OF_EVERY):
                yield from _each(item, inner, (*path, key))
        if path and path[0] != "metadata":
            yield f"{where} = {{}}", _with(item, path, {})
            yield from _indented(item, value, path)
    elif isinstance(value, list):
        yield f"{where} = []", _with(item, path, [])
        yield f"{where} twice", _with(item, path, [value[0], *value] if value else value)
        yield from _half_edited(item, value, path)
        for number, inner in enumerate(value):
            yield from _each(item, inner, (*path, number))
    else:
        others = _NUMBERS if type(value) is int else _TEXTS if isinstance(value, str) else (not value,)
        for other in others:
            if other != value:
                yield f"{where} = {other!r}"[:160], _with(item, path, other)


def _half_edited(item: dict[str, Any], value: list[Any], path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """An entry that was copied, and of which one field was edited; one that has kept a field of what it was copied from."""
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            continue
        for key, inner in entry.items():
            if isinstance(inner, str | int) and not isinstance(inner, bool):
                edited = {**entry, key: f"{inner}x" if isinstance(inner, str) else inner + 1}
                yield f"{_dotted(path)} + copy with another {key}", _with(item, path, [*value, edited])
            if number and key in (first := value[0]) and first[key] != inner:
                yield (
                    f"{_dotted((*path, number))}.{key} = that of the first",
                    _with(item, (*path, number, key), first[key]),
                )


def _indented(item: dict[str, Any], value: dict[str, Any], path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """A field that has slipped into the block before it, or out of its own."""
    keys = [*value]
    for before, key in itertools.pairwise(keys):
        if isinstance(value[before], dict):
            moved = {k: v for k, v in value.items() if k != key} | {before: {**value[before], key: value[key]}}
            yield f"{_dotted(path)}.{key} inside {before}", _with(item, path, moved)
    if len(path) > 1 and isinstance(path[-1], str):
        for key in keys[-1:]:
            moved = _without(item, (*path, key))
            yield f"{_dotted(path)}.{key} outside", _with(moved, (*path[:-1], key), value[key])


def _with(item: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    found = copy.deepcopy(item)
    at: Any = found
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = copy.deepcopy(value)
    return found


def _without(item: dict[str, Any], path: Path) -> dict[str, Any]:
    found = copy.deepcopy(item)
    at: Any = found
    for part in path[:-1]:
        at = at[part]
    del at[path[-1]]
    return found


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
