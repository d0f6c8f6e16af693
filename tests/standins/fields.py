"""Who owns which field of an object, and what a patch makes of it. Lists are one field each, whatever their schema says."""

from collections.abc import Iterator, Mapping
from typing import Any

from standins.statuses import Refused, conflict

Path = tuple[str, ...]
Owners = dict[str, frozenset[Path]]  # field manager -> the fields that it set

_IDENTITY: frozenset[Path] = frozenset({("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")})


def copied(value: Any) -> Any:
    """A copy of what JSON can say, down to its leaves: ten times as fast as one of anything."""
    if type(value) is dict:
        return {key: copied(inner) for key, inner in value.items()}
    return [copied(inner) for inner in value] if type(value) is list else value


def leaves(value: Mapping[str, Any], at: Path = ()) -> Iterator[Path]:
    """The paths of all fields that hold a value, or nothing at all."""
    for key, inner in value.items():
        path = (*at, key)
        if isinstance(inner, Mapping) and inner:
            yield from leaves(inner, path)
        elif path not in _IDENTITY:
            yield path


def at(value: Any, path: Path) -> Any:
    """What stands there, or None."""
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def merged(value: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return copied(patch)
    result = dict(value) if isinstance(value, Mapping) else {}
    for key, inner in patch.items():
        if inner is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), inner)
    return result


def applied(
    live: Mapping[str, Any], wanted: Mapping[str, Any], owners: Owners, manager: str, *, force: bool
) -> tuple[dict[str, Any], Owners]:
    """Server-side apply: the object and who owns its fields afterwards. Raises Refused where others own what would change."""
    mine = frozenset(leaves(wanted))
    others = {name: paths for name, paths in owners.items() if name != manager}
    disputed = [
        (path, name)
        for path in sorted(mine)
        for name, paths in others.items()
        if path in paths and at(live, path) != at(wanted, path)
    ]
    if disputed and not force:
        raise conflict(disputed, str(wanted["apiVersion"]))
    lost = {path for path, _ in disputed}
    kept = {name: left for name, paths in others.items() if (left := paths - lost)}
    result = copied(dict(live))
    for path in owners.get(manager, frozenset()) - mine - frozenset().union(*kept.values()):
        _remove(result, path)
    for path in mine:
        _put(result, path, copied(at(wanted, path)))
    return result, {**kept, manager: mine}


def taken(before: Mapping[str, Any], after: Mapping[str, Any], owners: Owners, manager: str) -> Owners:
    """Who owns the fields after an update that did not say so: who changed one has it."""
    changed = frozenset(path for path in leaves(after) if at(before, path) != at(after, path))
    held = {name: frozenset(path for path in paths if at(after, path) is not None) for name, paths in owners.items()}
    result = {name: left for name, paths in held.items() if (left := paths - changed)}
    if changed:
        result[manager] = result.get(manager, frozenset()) | changed
    return result


def managed(owners: Owners, api_version: str) -> list[dict[str, Any]]:
    """As metadata.managedFields shows it."""
    return [
        {"manager": name, "operation": "Apply", "apiVersion": api_version, "fieldsType": "FieldsV1", "fieldsV1": _tree(paths)}
        for name, paths in sorted(owners.items())
    ]  # fmt: skip


def _tree(paths: frozenset[Path]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        inner = tree
        for key in path:
            inner = inner.setdefault(f"f:{key}", {})
    return tree


def _put(value: dict[str, Any], path: Path, inner: Any) -> None:
    for key in path[:-1]:
        below = value.get(key)
        if not isinstance(below, dict):
            below = value[key] = {}
        value = below
    there = value.get(path[-1])
    if not (inner == {} and isinstance(there, dict)):  # nothing at all says nothing about what others put there
        value[path[-1]] = inner


def _remove(value: dict[str, Any], path: Path) -> None:
    parents = [value]
    for key in path[:-1]:
        below = parents[-1].get(key)
        if not isinstance(below, dict):
            return
        parents.append(below)
    parents[-1].pop(path[-1], None)
    for parent, key in reversed(list(zip(parents, path[:-1], strict=False))):
        if parent.get(key) == {} and parent is not value:
            del parent[key]


__all__ = ["Owners", "Refused", "applied", "at", "leaves", "managed", "merged", "taken"]
