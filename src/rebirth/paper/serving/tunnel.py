"""The end of the API server's egress: HTTP CONNECT on a Unix socket, to Services whose pods are on paper.

The protocol is that of k8s.io/apiserver/pkg/server/egressselector (HTTPConnect over uds): the API server asks for a cluster address
and port. Where no endpoint is ready the connection is refused, as kube-proxy refuses it; else TLS ends here, with a certificate of
the rehearsal's CA for the name that is asked for, and `answering` answers.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from rebirth.paper.api.kinds import SERVICE, SLICE
from rebirth.paper.api.seen import Seen
from rebirth.paper.api.work import side_by_side
from rebirth.paper.given import Signs
from rebirth.paper.serving import endpoints

_REFUSED = "HTTP/1.1 503 connect: connection refused\r\n\r\n"
_TAKEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
_PIECE = 65536
_ANY = "paper.invalid"  # the certificate for who names nobody


class _Quiet(uvicorn.Server):
    """A server among others in one process: signals are not its to handle."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Certificates:
    """A context for TLS that shows whom it is asked for a certificate of that name; each is issued once."""

    authority: Signs
    folder: Path  # the library reads keys from files alone; they are there for a moment
    _known: dict[str, ssl.SSLContext] = field(default_factory=dict)

    def context(self, name: str) -> ssl.SSLContext:
        if name not in self._known:
            certificate, key = self.authority.issue([name])
            file = self.folder / "certificate.pem"
            file.touch(mode=0o600)
            file.write_text(f"{key}{certificate}")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
            file.unlink()
            context.set_alpn_protocols(["http/1.1"])
            context.sni_callback = self._named
            self._known[name] = context
        return self._known[name]

    def _named(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self.context(name or _ANY)


@dataclass
class Tunnel:
    """The egress of one rehearsal, at `path`."""

    path: Path
    authority: Signs
    app: ASGIApp
    seen: Seen
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Raises OSError."""
        inner = self.path.with_name(f"{self.path.name}.inner")
        async with self._application(inner):
            self.path.unlink(missing_ok=True)
            server = await asyncio.start_unix_server(lambda r, w: self._begin(r, w, inner), path=self.path)
            self.path.chmod(0o600)
            try:
                yield
            finally:
                server.close()
                self.path.unlink(missing_ok=True)
                for connection in self._connections:
                    connection.cancel()
                await asyncio.gather(*self._connections, return_exceptions=True)

    @asynccontextmanager
    async def _application(self, path: Path) -> AsyncIterator[None]:
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        path.chmod(0o600)
        config = uvicorn.Config(self.app, log_level="error", lifespan="off", server_header=False)
        config.load()
        config.ssl = Certificates(self.authority, path.parent).context(_ANY)
        server = _Quiet(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.005)
            yield
        finally:
            server.should_exit = server.force_exit = True
            await task
            path.unlink(missing_ok=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inner: Path) -> None:
        """The loop knows no connection that neither reads nor writes just now: it is kept here until it ends."""
        connection = asyncio.create_task(self._connected(reader, writer, inner))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inner: Path) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            address, _, port = head.split(b" ", 2)[1].decode().rpartition(":")
            if not self._answers(address.strip("[]"), int(port)):
                writer.write(_REFUSED.encode())
                await writer.drain()
                return
            far_reader, far_writer = await asyncio.open_unix_connection(inner)
            writer.write(_TAKEN)
            try:
                ways = _pump(reader, far_writer), _pump(far_reader, writer)
                await side_by_side(*ways, until=asyncio.FIRST_COMPLETED)
            finally:
                far_writer.close()
        except (OSError, ValueError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # who connects sees the connection end
        finally:
            writer.close()

    def _answers(self, address: str, port: int) -> bool:
        found = endpoints.service_at(self.seen.of(SERVICE).values(), address, port)
        return found is not None and endpoints.ready(*found, self.seen.of(SLICE).values())


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
