"""Any stand-in behind a real server on loopback, with TLS from an authority made for the test."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp

from rebirth.lab.ca import Authority
from rebirth.lab.systems.faults import Breakable


class _Quiet(uvicorn.Server):
    """A server in a test's event loop: signals are not its to handle."""

    @contextmanager
    def capture_signals(self):
        yield


@dataclass(frozen=True)
class Served:
    port: int
    ca: Path
    trust: ssl.SSLContext = field(repr=False)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@dataclass
class Loopback:
    """Starts servers on ports that the kernel chooses."""

    folder: Path
    authority: Authority
    _running: list[tuple[uvicorn.Server, "asyncio.Task[None]"]] = field(default_factory=list)

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    async def __call__(self, app: ASGIApp) -> Served:
        certificate, key = self.authority.issue_into(
            self.folder, f"server-{len(self._running)}", ["localhost", "127.0.0.1"]
        )
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            log_level="critical",
            lifespan="off",
            http=Breakable,
        )
        server = _Quiet(config)
        task = asyncio.create_task(server.serve())
        self._running.append((server, task))
        while not server.started:
            assert not task.done(), task
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        return Served(port, self.ca, ssl.create_default_context(cafile=str(self.ca)))

    async def stop(self) -> None:
        for server, _ in self._running:
            server.should_exit = True
            for connection in list(server.server_state.connections):
                connection.transport.abort()  # a client that is idle would keep the server waiting
        await asyncio.gather(*(task for _, task in self._running))


@asynccontextmanager
async def _loopback(folder: Path) -> AsyncIterator[Loopback]:
    authority = Authority("a test")
    loopback = Loopback(folder, authority)
    loopback.ca.write_text(authority.pem)
    try:
        yield loopback
    finally:
        await loopback.stop()


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Callable[[ASGIApp], Awaitable[Served]]]:
    """`await serve(app)` -> Served: the app over HTTPS on loopback."""
    folder = tmp_path / "servers"
    folder.mkdir()
    async with _loopback(folder) as loopback:
        yield loopback
