"""Any stand-in behind a real server on loopback, with TLS from an authority made for the tests."""

import asyncio
import gc
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp

from rebirth.lab.ca import Authority
from rebirth.lab.systems.faults import Breakable


@dataclass(frozen=True)
class Served:
    port: int
    ca: Path
    trust: ssl.SSLContext = field(repr=False)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@dataclass(frozen=True)
class Keys:
    """An authority, and what every server on loopback shows: made once for all tests of a process."""

    folder: Path
    authority: Authority
    certificate: Path
    key: Path

    @classmethod
    def made(cls, folder: Path) -> "Keys":
        authority = Authority("the tests")
        (folder / "ca.crt").write_text(authority.pem)
        return cls(folder, authority, *authority.issue_into(folder, "server", ["localhost", "127.0.0.1"]))

    @cached_property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "ca.crt"))


class _Ready(uvicorn.Server):
    """A server in a test's event loop. It listens once begun; ended, it is gone: uvicorn itself looks every 100 ms whether to end."""

    async def begin(self) -> int:
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup()
        await self.on_tick(0)  # the headers of every answer
        return self.servers[0].sockets[0].getsockname()[1]

    @property
    def connected(self) -> int:
        """Connections that are open, those that are in the middle of their handshake included. asyncio has no other word for it."""
        return sum(getattr(server, "_active_count", 0) for server in self.servers)

    async def end(self) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()  # a client that is idle would keep the server waiting
        under_way = list(self.server_state.tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


@dataclass
class Loopback:
    """Starts servers on ports that the kernel chooses."""

    keys: Keys
    _running: list[_Ready] = field(default_factory=list)

    @property
    def ca(self) -> Path:
        return self.keys.folder / "ca.crt"

    async def __call__(self, app: ASGIApp, http: type[Breakable] = Breakable) -> Served:
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            ssl_certfile=self.keys.certificate,
            ssl_keyfile=self.keys.key,
            log_level="critical",
            lifespan="off",
            http=http,
        )
        server = _Ready(config)
        port = await server.begin()
        self._running.append(server)
        return Served(port, self.ca, self.keys.trust)

    async def stop(self) -> None:
        for server in self._running:
            await server.end()
        for turn in range(100):  # what is under way ends first: it would outlive the loop
            if len(asyncio.all_tasks()) == 1 and not any(server.connected for server in self._running):
                break
            if turn == 10:
                hang_up_what_nobody_holds()
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)


def hang_up_what_nobody_holds() -> None:
    """Closes the sockets of requests that were cancelled in the middle of their TLS handshake.

    httpcore 1.0 closes them when the handshake fails, not when it is cancelled (`start_tls` in _backends/anyio.py):
    nobody holds them any more, and the server waits for the rest of a handshake that will not come.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.made(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def serve(keys: Keys) -> AsyncIterator[Callable[[ASGIApp], Awaitable[Served]]]:
    """`await serve(app)` -> Served: the app over HTTPS on loopback."""
    loopback = Loopback(keys)
    try:
        yield loopback
    finally:
        await loopback.stop()
