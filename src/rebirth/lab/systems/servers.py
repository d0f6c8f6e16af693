"""Serves the lab's stand-ins over HTTPS, each on its own address, with what was asked of it in a log."""

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rebirth.lab.ca import Authority
from rebirth.lab.systems.faults import Breakable, Faults

_IDLE = (
    600  # seconds after which a connection to a local server is closed: not while a client may be about to use it again
)


class _Quiet(uvicorn.Server):
    """A server among several in one process: signals are not its to handle."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Servers:
    """All HTTP servers of one lab."""

    ca: Authority
    keys: Path  # folder for certificates and their keys
    logs: Path  # folder
    faults: Faults = field(default_factory=Faults)
    _running: dict["asyncio.Task[None]", uvicorn.Server] = field(default_factory=dict)

    async def start(
        self,
        system: str,
        app: ASGIApp,
        *,
        address: str,
        port: int,
        hosts: Sequence[str],
        ca: Authority | None = None,
        http: type[Breakable] = Breakable,
    ) -> None:
        """Serves `app` at `address` with a certificate for `hosts`; returns once it listens. Raises OSError."""
        certificate, key = (ca or self.ca).issue_into(self.keys, f"{system}-{address}", [*hosts, address])
        told = logged(self.faults.around(system, app), self.logs / f"{system}.log")
        config = uvicorn.Config(
            told,
            ssl_certfile=str(certificate),
            ssl_keyfile=str(key),
            log_level="warning",
            lifespan="off",
            server_header=False,
            http=http,
        )
        await self._run(config, socket.create_server((address, port), backlog=512))

    async def start_local(self, app: ASGIApp, path: Path) -> None:
        """Serves `app` on a Unix socket that only its owner may use."""
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        path.chmod(0o600)
        config = uvicorn.Config(
            app, log_level="warning", lifespan="off", server_header=False, http=Breakable, timeout_keep_alive=_IDLE
        )
        await self._run(config, listening)

    async def stop(self) -> None:
        """Ends all of them; requests under way are answered first."""
        for server in self._running.values():
            server.should_exit = True
        await asyncio.gather(*self._running)
        self._running.clear()

    async def _run(self, config: uvicorn.Config, listening: socket.socket) -> None:
        server = _Quiet(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        self._running[task] = server
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        if task.done():
            await task


def logged(app: ASGIApp, file: Path) -> ASGIApp:
    """`app` with one line a request in `file`. Neither queries nor headers nor bodies: they may hold secrets."""

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        since, status = time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await app(scope, receive, sending)
        finally:
            host = dict(scope["headers"]).get(b"host", b"-").decode(errors="replace")
            client = (scope.get("client") or ("-", 0))[0]
            moment = time.strftime("%H:%M:%S")
            taken = f"{(time.monotonic() - since) * 1000:.0f} ms"
            with file.open("a") as log:
                log.write(
                    f"{moment} {client} {scope['method']} {host}{scope['path']} {status or 'no answer'} {taken}\n"
                )

    return telling
