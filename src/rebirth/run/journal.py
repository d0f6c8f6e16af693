"""What has been done: an append-only file, synced line by line, held by one run at a time.

It makes a killed run resumable. It never holds a secret: facts that do are made again (facts.InMemory).
"""

import fcntl
import json
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from pydantic import TypeAdapter, ValidationError

from rebirth.errors import Broken
from rebirth.run.facts import Fact

FILE = "journal.jsonl"


class Journal:
    """The journal in a castle's state directory; a context manager that holds its lock.

    Raises Broken if another run holds the lock.
    """

    def __init__(self, state: Path) -> None:
        self.file = state / FILE
        self._facts: dict[str, dict[str, Any]] = {}
        self._once: dict[str, str] = {}
        self._marks: dict[str, set[str]] = {}
        self._sink: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._sink = self.file.open("ab+")
        try:
            fcntl.flock(self._sink, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._sink.close()
            raise Broken(
                f"another run holds {self.file}",
                operation="journal",
                hint="Wait for it to end, or end it: one run at a time.",
            ) from None
        self._read(self._sink)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sink:
            self._sink.close()
            self._sink = None

    def _read(self, sink: IO[bytes]) -> None:
        sink.seek(0)
        sound = 0
        for line in sink:
            try:
                entry = json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            sound += len(line)
            self._remember(entry)
        # A run that was killed while it wrote leaves a torn last line, which says nothing.
        sink.truncate(sound)

    def _remember(self, entry: dict[str, Any]) -> None:
        if entry.get("kind") == "fact":
            self._facts[entry["phase"]] = entry
        elif entry.get("kind") in {"begun", "ended"}:
            self._once[entry["what"]] = entry["kind"]
        elif entry.get("kind") == "undone":
            self._once.pop(entry["what"], None)
        elif entry.get("kind") == "mark":
            self._marks.setdefault(entry["of"], set()).add(entry["name"])

    def _append(self, **entry: Any) -> None:
        if self._sink is None:
            raise RuntimeError("the journal is not open")
        self._sink.write(json.dumps({"at": round(time.time(), 3), **entry}).encode() + b"\n")
        self._sink.flush()
        os.fsync(self._sink.fileno())
        self._remember(entry)

    def knows(self, phase: str) -> bool:
        """Whether `phase` was ever done, whatever its inputs were."""
        return phase in self._facts

    def recall(self, phase: str, kind: type[Fact], fingerprint: str | None = None) -> Fact | None:
        """The fact that `phase` made, if its inputs were those of `fingerprint` (None: whatever they were)."""
        entry = self._facts.get(phase)
        if entry is None or fingerprint not in {None, entry["fingerprint"]}:
            return None
        try:
            fact: Fact = TypeAdapter(kind).validate_python(entry["fact"])
        except ValidationError:  # written by a version whose fact looked different
            return None
        return fact

    def remember(self, phase: str, fact: Fact, fingerprint: str) -> None:
        """Writes down what `phase` has made true."""
        if not fact.in_memory:
            payload = TypeAdapter(type(fact)).dump_python(fact, mode="json")
            self._append(kind="fact", phase=phase, fingerprint=fingerprint, fact=payload)

    def forget(self) -> None:
        """The castle is back to nothing: an empty journal."""
        if self._sink is None:
            raise RuntimeError("the journal is not open")
        self._sink.truncate(0)
        os.fsync(self._sink.fileno())
        self._facts.clear()
        self._once.clear()
        self._marks.clear()

    def glimpse(self) -> Self:
        """Reads what is there, without the lock and without a write: for who only wants to know."""
        with suppress(OSError):
            for line in self.file.read_bytes().splitlines():
                with suppress(ValueError, KeyError):
                    if isinstance(entry := json.loads(line), dict):
                        self._remember(entry)
        return self

    def mark(self, kind: str, name: str) -> None:
        if name not in self.marks(kind):
            self._append(kind="mark", of=kind, name=name)

    def marks(self, kind: str) -> frozenset[str]:
        return frozenset(self._marks.get(kind, ()))

    def begin(self, what: str) -> None:
        self._append(kind="begun", what=what)

    def end(self, what: str) -> None:
        self._append(kind="ended", what=what)

    def undo(self, what: str) -> None:
        """What was done has gone with what it was done to."""
        if what in self._once:
            self._append(kind="undone", what=what)

    def progress(self, what: str) -> str | None:
        """`begun`, `ended`, or None where `what` was never begun."""
        return self._once.get(what)


class Marks:
    """By what the castle's things outside are known again, should nothing else tell whose they are one day.

    destroy works without: it is for names that castle.yaml no longer holds, and for devices of a cluster that is gone.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def add(self, kind: str, name: str) -> None:
        self._journal.mark(kind, name)

    def of(self, kind: str) -> frozenset[str]:
        return self._journal.marks(kind)


class Once:
    """For what the world allows only once: journaled before and after, and asked of the world in between."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def forget(self, what: str) -> None:
        """Lets `what` be done again: the world that it was done in is gone."""
        self._journal.undo(what)

    async def __call__(
        self, what: str, act: Callable[[], Awaitable[None]], done: Callable[[], Awaitable[bool]]
    ) -> None:
        """Does `act` unless it was done; `done` asks the world, and is asked whenever a run was killed in between."""
        progress = self._journal.progress(what)
        if progress == "ended":
            return
        if progress is None or not await done():
            self._journal.begin(what)
            await act()
        self._journal.end(what)
