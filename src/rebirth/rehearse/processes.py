"""The programs of a rehearsal: plain processes that end with it, whatever ends it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rebirth.commands import tied
from rebirth.errors import Broken

_LINES = 6  # of the log of what ended by itself that its error carries


@dataclass(frozen=True)
class _Program:
    process: asyncio.subprocess.Process
    again: Callable[[], Awaitable[None]]
    tries: int  # with this one


@dataclass
class Processes:
    """All processes of one rehearsal, each with its log."""

    logs: Path  # folder
    _running: dict[str, _Program] = field(default_factory=dict)

    async def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, *, tries: int = 1
    ) -> None:
        """Starts a program; what it says goes to `<name>.log`. One that may end by itself while the others are not ready for it
        has more `tries`, as it has from a kubelet. Raises OSError.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            # Killed with this process, however that ends: nothing else would know of it.
            process = await asyncio.create_subprocess_exec(
                *tied(), *argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})}, cwd=self.logs.parent, start_new_session=True,
            )  # fmt: skip
        self._running[name] = _Program(process, partial(self.start, name, argv, env, tries=tries - 1), tries)

    async def check(self) -> None:
        """Starts what has ended by itself again, where it has another try. Raises Broken where it has none."""
        for name, program in tuple(self._running.items()):
            if (code := program.process.returncode) is None:
                continue
            if program.tries <= 1:
                raise Broken(f"ended with {code}: {self.last_words(name)}", system=name, operation="rehearse")
            await program.again()

    def last_words(self, name: str) -> str:
        """The end of its log."""
        lines = (self.logs / f"{name}.log").read_text(errors="replace").splitlines()
        return "; ".join(line.strip() for line in lines[-_LINES:] if line.strip())

    def memory(self) -> int:
        """Bytes of memory that all of them hold for themselves, and their share of what they have in common."""
        running = [one.process for one in self._running.values() if one.process.returncode is None]
        return sum(_proportional(process.pid) for process in running)

    async def stop(self) -> None:
        """Kills all: nothing that they would still write is read by anybody."""
        for program in self._running.values():
            with suppress(ProcessLookupError):
                program.process.kill()
        for program in self._running.values():
            await program.process.wait()
        self._running.clear()


def _proportional(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)
