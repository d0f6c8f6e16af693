"""The real programs that a machine runs: started, restarted when they end, and shown as Talos' service list."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Service:
    """A row of the service list."""

    id: str
    state: str = "Waiting"  # Talos' words: Waiting, Preparing, Running, Failed, Finished
    message: str = ""
    healthy: bool = False
    since: float = field(default_factory=time.time)

    def turn(self, state: str, message: str = "", *, healthy: bool = False) -> None:
        self.state, self.message, self.healthy, self.since = state, message, healthy, time.time()


class Parts:
    """All services of one machine, with the processes behind them."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.services: dict[str, Service] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._started: dict[str, str] = {}  # a digest of what each was started with

    def service(self, name: str) -> Service:
        return self.services.setdefault(name, Service(name))

    def run(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, *, files: Iterable[str | Path] = ()
    ) -> None:
        """Starts `argv` and starts it again whenever it ends.

        What already runs with the same arguments and the same contents of `files` is left alone; anything else under this
        name is ended.
        """
        digest = hashlib.sha256(repr((list(argv), sorted((env or {}).items()))).encode())
        for file in files:
            digest.update(Path(file).read_bytes())
        if self._started.get(name) == digest.hexdigest():
            return
        self._started[name] = digest.hexdigest()
        before = self._keepers.pop(name, None)
        if before:
            before.cancel()
        keep = self._keep(name, list(argv), {**os.environ, **(env or {})}, before)
        self._keepers[name] = asyncio.create_task(keep, name=name)

    def running(self, name: str) -> bool:
        """Whether it is kept running."""
        return name in self._keepers

    def end(self, name: str) -> None:
        """Ends what runs under this name."""
        self._started.pop(name, None)
        if keeper := self._keepers.pop(name, None):
            keeper.cancel()
            self._ending.add(keeper)
            keeper.add_done_callback(self._ending.discard)
            self.service(name).turn("Finished", "Service finished successfully")

    async def _keep(
        self, name: str, argv: list[str], env: dict[str, str], before: "asyncio.Task[None] | None" = None
    ) -> None:
        if before:  # two of a kind would fight for ports and locks
            await asyncio.wait([before])
        service = self.service(name)
        self._logs.mkdir(parents=True, exist_ok=True)
        while True:
            with (self._logs / f"{name}.log").open("ab") as log:
                service.turn("Preparing", "Starting service")
                process = await asyncio.create_subprocess_exec(
                    *argv, stdout=log, stderr=log, env=env, start_new_session=True
                )
                try:
                    service.turn("Running", f"Started task {name} (PID {process.pid})", healthy=True)
                    code = await process.wait()
                except asyncio.CancelledError:
                    await _terminate(process)
                    raise
            service.turn("Waiting", f"ended with {code}, restarting")
            await asyncio.sleep(0.5)

    async def stop(self) -> None:
        """Ends every process."""
        for keeper in self._keepers.values():
            keeper.cancel()
        if ending := {*self._keepers.values(), *self._ending}:
            await asyncio.wait(ending)
        self._keepers.clear()
        self._started.clear()


async def _terminate(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
