"""What was done of a job: an append-only file, synced line by line. A job that has ended by it is never done again.

It is the truth of the fleet. The engine may lose a job, give it to two workers or to one twice; then this file, and the lock on
the castle under which it is read and written, see to it that it is done once.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = "account.jsonl"
ENDED = "ended"


@dataclass(frozen=True)
class Entry:
    what: str  # started, interrupted, cancelled, ended
    at: float  # seconds since the epoch
    worker: str
    outcome: str = ""  # of what has ended
    code: int | None = None  # the exit code
    seconds: float = 0.0  # that it has run, this time


@dataclass(frozen=True)
class Account:
    """Of one job, in its folder."""

    folder: Path

    @property
    def output(self) -> Path:
        """What its command says while it runs."""
        return self.folder / "output.log"

    @property
    def answer(self) -> Path:
        """What its command answers, as JSON."""
        return self.folder / "answer.json"

    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries())

    def _entries(self) -> Iterator[Entry]:
        try:
            lines = (self.folder / _FILE).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            with suppress(ValueError, TypeError):  # the last line of a worker that was killed may be half a line
                yield Entry(**json.loads(line))

    @property
    def end(self) -> Entry | None:
        """How it ended; None as long as it has not."""
        return next((entry for entry in self._entries() if entry.what == ENDED), None)

    def write(self, what: str, worker: str, **more: Any) -> Entry:
        """It is on the disk when this returns."""
        entry = Entry(what, round(time.time(), 3), worker, **more)
        self.folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps({name: value for name, value in vars(entry).items() if value not in ("", None)}) + "\n"
        with (self.folder / _FILE).open("ab+") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() and not self._is_whole(file.tell()):
                line = "\n" + line  # what a killed worker has torn off stays a line of its own
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        return entry

    def _is_whole(self, size: int) -> bool:
        with (self.folder / _FILE).open("rb") as file:
            file.seek(size - 1)
            return file.read(1) == b"\n"

    def complaint(self) -> str:
        """The last error that its command has told, in a line."""
        with suppress(OSError):
            lines = self.output.read_text(encoding="utf-8", errors="replace").splitlines()
            return next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), "")
        return ""

    def answered(self) -> dict[str, Any]:
        """The answer; nothing where there is none yet, and `text` alone where it is not JSON."""
        with suppress(OSError):
            text = self.answer.read_text(encoding="utf-8", errors="replace")
            with suppress(ValueError):
                found = json.loads(text)
                return found if isinstance(found, dict) else {}
            return {"text": text}
        return {}
