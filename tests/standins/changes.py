"""What has changed in the stand-in of the Kubernetes API, and who is told as it goes on."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from standins.kinds import Kind
from standins.statuses import expired

Watch = asyncio.Queue["Change | None"]  # None: the server ends it


@dataclass(frozen=True)
class Change:
    version: int
    type: str  # ADDED, MODIFIED, DELETED
    table: tuple[str, str]
    object: dict[str, Any]


@dataclass
class Changes:
    version: int = 1
    watches: dict[Watch, tuple[str, str]] = field(default_factory=dict)  # with the table that each is of; in order
    _log: list[Change] = field(default_factory=list)
    _oldest: int = 0

    def next(self) -> int:
        self.version += 1
        return self.version

    def add(self, kind: Kind, type_: str, item: dict[str, Any]) -> None:
        change = Change(self.version, type_, kind.table, item)
        self._log.append(change)
        for watch, table in self.watches.items():
            if table == kind.table:
                watch.put_nowait(change)

    def watch(self, kind: Kind, since: int | None, there: Iterable[dict[str, Any]]) -> Watch:
        """Raises Refused where what is asked for is forgotten."""
        if since is not None and since < self._oldest:
            raise expired(since, self._oldest)
        missed = [change for change in self._log if since and change.version > since and change.table == kind.table]
        shown = missed if since else [Change(self.version, "ADDED", kind.table, item) for item in there]
        watch = Watch()
        for change in shown:
            watch.put_nowait(change)
        self.watches[watch] = kind.table
        return watch

    def unwatch(self, watch: Watch) -> None:
        self.watches.pop(watch, None)

    def forget(self) -> None:
        """A watch that asks for a change so far is told that it is too old."""
        self._log.clear()
        self._oldest = self.version

    def end(self) -> None:
        """Ends every watch that is open, as an API server that restarts does."""
        for watch in self.watches:
            watch.put_nowait(None)
