"""One field of a sample changed, and whatever may stand in its fields: for the tests of what is refused."""

import copy
from typing import Any

import yaml


def changed(text: str, where: str, value: str) -> Any:
    """The sample with another value at a path such as spec.ports.0.name."""
    found = yaml.safe_load(text)
    *above, last = [int(part) if part.isdigit() else part for part in where.split(".")]
    at = found
    for part in above:
        at = at[part]
    at[last] = yaml.safe_load(value)
    return found


def with_each(text: str, other: Any):
    """The sample once for each of its fields and entries, with that in its place."""
    item = yaml.safe_load(text)
    for path in _paths(item):
        found = copy.deepcopy(item)
        at = found
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = other
        yield found


def _paths(value, path=()):
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(inner, (*path, key))
