"""Values and versions of charts: what stands at a path, and whether a version lies in a range."""

import re
from collections.abc import Mapping
from typing import Any


def value_at(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def in_range(version: str, since: str, before: str) -> bool:
    """Whether a version lies in a range; one that cannot be read does."""
    found = numbers(version)
    return not found or ((not since or found >= numbers(since)) and (not before or found < numbers(before)))


def numbers(version: str) -> tuple[int, ...]:
    """The parts of a version; () of what is none, or a range."""
    found = re.match(r"v?(\d+(?:\.\d+)*)$", version.partition("-")[0].partition("+")[0])
    return tuple(int(part) for part in found[1].split(".")) if found else ()
