"""The programs of a rehearsal: plain processes that end with it, whatever ends it."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rebirth.commands import tied
from rebirth.errors import Broken

_LINES = 6  # of the log of what ended by itself that its error carries


@dataclass
class Processes:
    """All processes of one rehearsal, each with its log."""

    logs: Path  # folder
    _running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Starts a program; what it says goes to `<name>.log`. Raises OSError."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("wb") as log:
            # Killed with this process, however that ends: nothing else would know of it.
            self._running[name] = await asyncio.create_subprocess_exec(
                *tied(), *argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})}, cwd=self.logs.parent, start_new_session=True,
            )  # fmt: skip

    def check(self) -> None:
        """Raises Broken where one has ended by itself."""
        for name, process in self._running.items():
            if process.returncode is not None:
                raise Broken(
                    f"ended with {process.returncode}: {self.last_words(name)}", system=name, operation="rehearse"
                )

    def last_words(self, name: str) -> str:
        """The end of its log."""
        lines = (self.logs / f"{name}.log").read_text(errors="replace").splitlines()
        return "; ".join(line.strip() for line in lines[-_LINES:] if line.strip())

    def memory(self) -> int:
        """Bytes of memory that all of them hold for themselves, and their share of what they have in common."""
        return sum(_proportional(process.pid) for process in self._running.values() if process.returncode is None)

    async def stop(self) -> None:
        """Kills all: nothing that they would still write is read by anybody."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.kill()
        for process in self._running.values():
            await process.wait()
        self._running.clear()


def _proportional(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)
