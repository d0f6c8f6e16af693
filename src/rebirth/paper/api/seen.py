"""What the API server holds, as far as paper asks: kept by watches, and told to whoever wants to know of a change."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from rebirth.errors import NotYet
from rebirth.paper.api.client import Api, Kind, Object
from rebirth.paper.api.kinds import trimmed

Key = tuple[str, str]  # namespace ("" where it has none) and name
Listener = Callable[[Kind, Object, bool], None]  # the object after the change; True: it has gone
_AGAIN = 0.5  # seconds before a watch that broke is begun anew


def key_of(item: Mapping[str, Any]) -> Key:
    meta = item["metadata"]
    return meta.get("namespace", ""), meta["name"]


def is_true(item: Mapping[str, Any], kind: str = "Ready") -> bool:
    """Whether the object says so of what it is now, not of an earlier generation."""
    status = item.get("status") or {}
    for one in status.get("conditions") or []:
        if one["type"] == kind:
            observed = one.get("observedGeneration", status.get("observedGeneration"))
            return one["status"] == "True" and observed in {None, item["metadata"].get("generation")}
    return False


class Seen:
    """The objects by kind and name. A kind is watched from the moment that `watch` is called until the task ends."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._items: defaultdict[Kind, dict[Key, Object]] = defaultdict(dict)
        self._tasks: dict[Kind, asyncio.Task[None]] = {}
        self.listeners: list[Listener] = []

    def of(self, kind: Kind) -> Mapping[Key, Object]:
        return self._items[kind]

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        return self._items[kind].get((namespace if kind.namespaced else "", name))

    def watch(self, kind: Kind) -> None:
        """Begins to watch; nothing where it is watched already."""
        if kind not in self._tasks:
            self._tasks[kind] = asyncio.create_task(self._keep(kind))

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        for task in self._tasks.values():
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()

    async def _keep(self, kind: Kind) -> None:
        since = ""
        while True:
            try:
                since = since or await self._list(kind)
                async for change, item in self._api.changes(kind, since):
                    since = item["metadata"]["resourceVersion"]
                    if change != "BOOKMARK":
                        self._take(kind, item, gone=change == "DELETED")
            except NotYet:  # the connection broke, the version is too old, the kind is not served any more
                since = ""
                await asyncio.sleep(_AGAIN)

    async def _list(self, kind: Kind) -> str:
        items, version = await self._api.all(kind)
        before = set(self._items[kind])
        for item in items:
            before.discard(key_of(item))
            self._take(kind, item, gone=False)
        for key in before:
            self._take(kind, self._items[kind][key], gone=True)
        return version

    def _take(self, kind: Kind, item: Object, *, gone: bool) -> None:
        item = trimmed(kind, item)
        if gone:
            self._items[kind].pop(key_of(item), None)
        else:
            self._items[kind][key_of(item)] = item
        for listener in self.listeners:
            listener(kind, item, gone)
