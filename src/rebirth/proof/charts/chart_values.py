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
    numbers = _numbers(version)
    if not numbers:
        return True
    return (not since or numbers >= _numbers(since)) and (not before or numbers < _numbers(before))


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+(?:\.\d+)*)$", version.partition("-")[0].partition("+")[0])
    return tuple(int(part) for part in found[1].split(".")) if found else ()
