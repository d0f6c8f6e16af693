"""What `rebirth cache` says of the store."""

import datetime as dt
import json
import time

from rebirth.fetch.progress import size
from rebirth.store import used
from rebirth.store.store import Store


def as_text(store: Store) -> str:
    found = used.kept(store)
    lines = [f"{one.kind:9} {size(one.size):>10}  {_ago(one.used):15} {one.name}" for one in found]
    return "\n".join([*lines, f"{len(found)} things, {size(used.size(store))} in {store.folder}"]) + "\n"


def as_json(store: Store) -> str:
    """One object of `version` 1."""
    things = [
        {"kind": one.kind, "name": one.name, "bytes": one.size, "used": _time(one.used)} for one in used.kept(store)
    ]
    said = {"version": 1, "folder": str(store.folder), "bytes": used.size(store), "things": things}
    return json.dumps(said, indent=2) + "\n"


def question(store: Store) -> str:
    return f"Remove {len(used.kept(store))} things, {size(used.size(store))}, from {store.folder}?"


def removed(found: used.Removed, store: Store) -> str:
    if not found.things and not found.size:
        return f"nothing to remove in {store.folder}\n"
    return f"removed {found.things} things, {size(found.size)}, from {store.folder}\n"


def _time(when: float) -> str:
    return dt.datetime.fromtimestamp(when, dt.UTC).isoformat(timespec="seconds")


def _ago(when: float) -> str:
    """When something was last used, in words."""
    days = int((time.time() - when) // 86400)
    return "today" if days < 1 else f"{days} day{'s' * (days != 1)} ago"
