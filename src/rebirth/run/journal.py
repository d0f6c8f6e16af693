"""What has been done: an append-only file, synced line by line, written by one run at a time.

It makes a killed run resumable. It never holds a secret: facts that do are made again (facts.InMemory).
"""

import fcntl
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext, suppress
from functools import partial
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from rebirth.castle.files import content_of
from rebirth.errors import Broken, NotYet, of_this_machine
from rebirth.run.facts import Fact
from rebirth.run.waiting import until

FILE, LOCK = "journal.jsonl", "lock"
_LOOKED = ""  # the name under which a mark says that somebody has looked, whatever there was
_LARGEST = 64 << 20  # bytes: a thousand times what a castle's journal has after years
_KEYS: dict[str, dict[str, type]] = {  # what an entry of each kind has to hold
    "fact": {"phase": str, "fingerprint": str, "fact": dict},
    "begun": {"what": str},
    "ended": {"what": str},
    "undone": {"what": str},
    "mark": {"of": str, "name": str},
}


class Journal:
    """The journal in a castle's state directory; a context manager that holds its lock for `command`.

    With `writes=False` it takes no lock and makes no file: it remembers what is written there now, and what is added for
    as long as it is open. Raises Broken if another run holds the lock, or the file is not what a journal is;
    a `lenient` one passes over lines that are no entries, for who asks the world anyway.
    """

    def __init__(self, state: Path, command: str = "", *, writes: bool = True, lenient: bool = False) -> None:
        self.file = state / FILE
        self._lock = _Lock(state / LOCK, command)
        self._writes = writes
        self._lenient = lenient
        self._facts: dict[str, dict[str, Any]] = {}
        self._once: dict[str, str] = {}
        self._marks: dict[str, set[str]] = {}
        self.seen: dict[str, set[str]] = {}  # as marks, for as long as this run lives
        self._sink: FileIO | None = None

    def __enter__(self) -> Self:
        try:
            if self._writes:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                self._lock.take()
                sound = self._read(self._lines())
                self._sink = FileIO(self.file, "a")
                # A run that was killed while it wrote leaves a torn last line, which says nothing.
                self._sink.truncate(sound)
            else:
                self._read(self._lines())
        except OSError as error:
            self._close()
            raise self._unusable(error, "open the journal") from None
        except Broken:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._sink:
            self._sink.close()
            self._sink = None
        self._lock.leave()

    def _unusable(self, error: OSError, operation: str) -> Broken:
        error.filename = error.filename or str(self.file)
        if found := of_this_machine(error, operation):
            return found
        hint = "It has to be a file: move away what is there, and run the same command again."
        return Broken(str(error.strerror), system=str(error.filename), operation=operation, hint=hint)

    def _lines(self) -> list[bytes]:
        """Raises OSError where the file is too large to be a journal, or none: a FIFO or a device would never end."""
        try:
            return content_of(self.file, largest=_LARGEST).splitlines(keepends=True)
        except FileNotFoundError:
            return []

    def _read(self, lines: Iterable[bytes]) -> int:
        """Remembers every whole line; returns how many bytes they are."""
        sound = 0
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                break
            with suppress(Broken) if self._lenient else nullcontext():
                self._remember(self._entry(number, line))
            sound += len(line)
        return sound

    def _entry(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str) or not _is_whole(entry):
            hint = f"`mv {self.file} {self.file}.bad`, and run the same command again: it asks the systems outside."
            raise Broken("is not a journal entry", system=f"{self.file}:{number}", hint=hint)
        return entry

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
        if self._writes:
            self._write(json.dumps({"at": round(time.time(), 3), **entry}).encode() + b"\n")
        self._remember(entry)

    def _write(self, line: bytes) -> None:
        """The whole line, or nothing. Raises Broken."""
        sink = self._open_sink()
        before = sink.seek(0, os.SEEK_END)
        try:
            while line:
                line = line[sink.write(line) :]
            os.fsync(sink.fileno())
        except OSError as error:
            with suppress(OSError):
                sink.truncate(before)  # half a line would spoil the next one
            raise self._unusable(error, "write the journal") from None

    def _open_sink(self) -> FileIO:
        if self._sink is None:
            raise RuntimeError("the journal is not open")
        return self._sink

    def knows(self, phase: str) -> bool:
        """Whether `phase` was ever done, whatever its inputs were."""
        return phase in self._facts

    def recall(self, phase: str, kind: type[Fact], fingerprint: str | None = None) -> Fact | None:
        """The fact that `phase` made, if its inputs were those of `fingerprint` (None: whatever they were)."""
        entry = self._facts.get(phase)
        if entry is None or fingerprint not in {None, entry["fingerprint"]}:
            return None
        try:
            return kind.read(entry["fact"])
        except ValidationError:  # written by a version whose fact looked different
            return None

    def remember(self, phase: str, fact: Fact, fingerprint: str) -> None:
        """Writes down what `phase` has made true."""
        if not fact.in_memory:
            self._append(kind="fact", phase=phase, fingerprint=fingerprint, fact=fact.written())

    def forget(self) -> None:
        """The castle is back to nothing: an empty journal."""
        sink = self._open_sink()
        sink.truncate(0)
        os.fsync(sink.fileno())
        self._facts.clear()
        self._once.clear()
        self._marks.clear()

    def glimpse(self) -> Self:
        """Reads what is there, without the lock and without a write: for who only wants to know, and asks the world anyway."""
        with suppress(OSError):
            for number, line in enumerate(self._lines(), 1):
                with suppress(Broken):
                    self._remember(self._entry(number, line))
        return self

    def mark(self, kind: str, name: str) -> None:
        if name not in self.marks(kind):
            self._append(kind="mark", of=kind, name=name)

    def marks(self, kind: str) -> frozenset[str]:
        return frozenset(self._marks.get(kind, ()))

    def keep_seen(self) -> None:
        """Writes down what was seen, and that somebody has looked."""
        for kind, names in self.seen.items():
            for name in sorted({_LOOKED, *names}):
                self.mark(kind, name)

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


def _is_whole(entry: dict[str, Any]) -> bool:
    return all(isinstance(entry.get(name), kind) for name, kind in _KEYS.get(entry["kind"], {}).items())


class _Lock:
    """A file that one run holds, and in which it says who it is."""

    def __init__(self, file: Path, command: str) -> None:
        self._file, self._command = file, command
        self._held: FileIO | None = None

    def take(self) -> None:
        """Raises Broken, with who holds it, or OSError."""
        lock = FileIO(self._file, "a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = _holder(lock.read(1000))
            lock.close()
            hint = "Wait for it, or press Ctrl-C there."
            raise Broken(f"{holder} is at work on this castle", hint=hint) from None
        self._held = lock
        lock.truncate(0)
        lock.write(json.dumps({"pid": os.getpid(), "command": self._command, "since": time.time()}).encode())

    def leave(self) -> None:
        """The file stays: who waited for it with the old one open would else hold a lock that nobody sees."""
        if self._held:
            self._held.truncate(0)
            self._held.close()
            self._held = None


def _holder(said: bytes) -> str:
    """Who holds the lock, in words; it may be that it has not said it yet."""
    try:
        held = json.loads(said)
        since = time.strftime("%H:%M", time.localtime(held["since"]))
        name = f"`rebirth {held['command']}`" if held["command"] else "another run"
        return f"{name} (pid {held['pid']}, since {since})"
    except (ValueError, LookupError, RecursionError, TypeError):
        return "another run"


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

    def see(self, kind: str, names: Iterable[str]) -> None:
        """For this run alone: nothing is written."""
        self._journal.seen.setdefault(kind, set()).update(names)

    def seen(self, kind: str) -> frozenset[str] | None:
        """None where nobody has looked, in this run or one that has kept it."""
        found, kept = self._journal.seen.get(kind), self._journal.marks(kind)
        return None if found is None and not kept else frozenset(found or ()) | kept - {_LOOKED}


class Once:
    """For what the world allows only once: journaled before and after; the world is asked unless the journal says that it ended."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def ended(self, what: str) -> bool:
        """Whether `what` was done, as far as the journal knows."""
        return self._journal.progress(what) == "ended"

    def forget(self, what: str) -> None:
        """Lets `what` be done again: the world that it was done in is gone."""
        self._journal.undo(what)

    async def __call__(
        self, what: str, act: Callable[[], Awaitable[None]], done: Callable[[], Awaitable[bool]]
    ) -> None:
        """Does `act` unless it was done, and returns when it shows. `done` asks the world: a run may have been killed in
        between, its journal be lost, or who was asked have said yes and done nothing.
        """
        if self.ended(what):
            return
        if not await done():
            self._journal.begin(what)
            await act()
            await until(partial(_shows, done), what=f"{what} shows", every=0.5, slowest=5)
        self._journal.end(what)


async def _shows(done: Callable[[], Awaitable[bool]]) -> None:
    if not await done():
        raise NotYet("it was asked for, and nothing shows yet")
