"""castle.yaml as text: each value with where it comes from, what is open as a line that `rebirth check` names."""

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from rebirth.castle import Castle
from rebirth.castle.words import sections_at
from rebirth.init.completing import meaning
from rebirth.init.found import MACHINES, Found, Path

_HEAD = """\
# Written by `rebirth init`: what follows a value says where it comes from. `rebirth check` names what is still open (TODO).
# Secrets stand in the vault directory (secrets.directory), one file per secret; here are only their names.
# Every key: `rebirth schema > castle.schema.json`, and begin this file with
#   # yaml-language-server: $schema=castle.schema.json
"""
_WIDTH = 140
_WHO = {"role", "address"}  # of a machine; they come before what it is made of


def castle_yaml(found: Found, open_: list[Path]) -> str:
    lines = [*_HEAD.splitlines(), *(f"# Not taken over: {remark}" for remark in found.remarks)]
    tree: dict[str, Any] = {}
    for path in [*(path for path, _ in found.kept()), *open_]:
        inner = tree
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
        inner[path[-1]] = path
    for key in _ordered(tree, ()):
        if isinstance(tree[key], dict):
            lines += ["", *textwrap.wrap(meaning((key,)), _WIDTH, initial_indent="# ", subsequent_indent="# ")]
        lines += _lines(found, tree[key], (key,))
    return "\n".join(lines) + "\n"


def _lines(found: Found, tree: Any, path: Path) -> Iterator[str]:
    indent = "  " * (len(path) - 1)
    if path == MACHINES and isinstance(tree, dict):
        yield f"{indent}nodes:"
        yield from (f"{indent}  - {line}" for line in _machines(found))
    elif isinstance(tree, dict):
        yield f"{indent}{path[-1]}:"
        for key in _ordered(tree, path):
            yield from _lines(found, tree[key], (*path, key))
    elif path in found.values:
        value = found.values[path]
        if isinstance(value.value, list) and all(isinstance(one, dict) for one in value.value):
            yield f"{indent}{path[-1]}:  # {value.where}"
            yield from (f"{indent}  - {_flow(one)}" for one in value.value)
            return
        yield from (f"{indent}# another is in {other.where}: {_flow(other.value)}" for other in _others(found, path))
        yield f"{indent}{path[-1]}: {_flow(value.value)}  # {value.where}"
    else:
        yield f"{indent}{path[-1]}:  # TODO: {found.wanted.get(path) or meaning(path)}"


def _others(found: Found, path: Path) -> list[Any]:
    return found.differing.get(path, [])


def _machines(found: Found) -> Iterator[str]:
    """One a line, with the places of its values, each once."""
    for name, values in found.machines().items():
        places = dict.fromkeys(found.values[*MACHINES, name, key].where for key in values)
        keys = sorted(_ordered(values, (*MACHINES, name)), key=lambda key: key not in _WHO)
        ordered = {key: values[key] for key in keys}
        yield f"{_flow({'name': name} | ordered)}  # {'; '.join(places)}"


def _ordered(tree: dict[str, Any], path: Path) -> list[str]:
    """The keys in the order of the models; others after them."""
    location = [0 if path[:2] == MACHINES and index == len(MACHINES) else part for index, part in enumerate(path)]
    known = [key for section in sections_at(Castle, location, kinds=False) for key in section.get("properties", {})]
    return sorted(tree, key=lambda key: known.index(key) if key in known else len(known))


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
