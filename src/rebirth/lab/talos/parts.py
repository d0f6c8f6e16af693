"""The real programs that a machine runs: started, restarted when they end, and shown as Talos' service list."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
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

    def service(self, name: str) -> Service:
        return self.services.setdefault(name, Service(name))

    def run(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Starts `argv` and starts it again whenever it ends; stops what ran under the same name before."""
        if keeper := self._keepers.pop(name, None):
            keeper.cancel()
        self._keepers[name] = asyncio.create_task(
            self._keep(name, list(argv), {**os.environ, **(env or {})}), name=name
        )

    async def _keep(self, name: str, argv: list[str], env: dict[str, str]) -> None:
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
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGTERM)
                    raise
            service.turn("Waiting", f"ended with {code}, restarting")
            await asyncio.sleep(0.5)

    async def stop(self) -> None:
        """Ends every process."""
        for keeper in self._keepers.values():
            keeper.cancel()
        if self._keepers:
            await asyncio.wait(self._keepers.values())
        self._keepers.clear()
