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
_PAUSE = 0.5  # seconds before what ended is started again


@dataclass
class Processes:
    """All processes of one rehearsal, each with its log."""

    logs: Path  # folder
    _running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _starting: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, *, tries: int = 1
    ) -> None:
        """Starts a program; what it says goes to `<name>.log`. One that may end by itself while the others are not ready for it
        has more `tries`, as it has from a kubelet. Raises OSError.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        await self._spawn(name, argv, env)
        if tries > 1:
            self._starting.add(task := asyncio.create_task(self._again(name, argv, env, tries - 1), name=name))
            task.add_done_callback(self._starting.discard)

    async def _again(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None, tries: int) -> None:
        for _ in range(tries):
            await self._running[name].wait()
            await asyncio.sleep(_PAUSE)
            await self._spawn(name, argv, env)

    async def _spawn(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            # Killed with this process, however that ends: nothing else would know of it.
            self._running[name] = await asyncio.create_subprocess_exec(
                *tied(), *argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})}, cwd=self.logs.parent, start_new_session=True,
            )  # fmt: skip

    def check(self) -> None:
        """Raises Broken where one has ended by itself."""
        starting = {task.get_name() for task in self._starting}
        for name, process in self._running.items():
            if process.returncode is not None and name not in starting:
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
        for task in self._starting:
            task.cancel()
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
