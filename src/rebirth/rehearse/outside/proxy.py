"""An HTTP proxy that reaches nobody: it ends TLS for every name itself, and hands each request to one local server.

To clients every host on the web is there, with a certificate of the rehearsal's CA; which one was asked for says the header
`Host`. HTTP/1.1 alone.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from rebirth.lab.ca import Authority
from rebirth.run.waiting import together

_LONGEST_HEAD = 1 << 16  # bytes
_AT_ONCE = 1 << 16  # bytes
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass
class Proxy:
    """Everything that is asked of it is asked of the server on the Unix socket `answers`, in the clear. `unresolved` says why a name
    does not resolve where the client would be a pod, "" where it does: a proxy asks in its place.
    """

    authority: Authority
    keys: Path  # folder for certificates and their keys
    answers: Path
    unresolved: Callable[[str], str] = lambda _: ""
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _open: set["asyncio.Task[None]"] = field(default_factory=set)

    async def start(self) -> str:
        """Its URL, on a free port of the loopback interface."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LONGEST_HEAD)
        _, port = self._server.sockets[0].getsockname()
        return f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        # A client that goes away in the middle, does not trust the CA or asks for too much is its own affair.
        try:
            with suppress(OSError, EOFError, asyncio.LimitOverrunError):
                await self._passed(reader, writer)
        except asyncio.CancelledError:
            pass  # asyncio would log it: nobody awaits this task but `stop`
        finally:
            self._open.discard(task)
            writer.close()

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = head.partition(b" ")
        if method == b"CONNECT":
            host = _host(rest.partition(b" ")[0].decode(errors="replace"))
            if why := self.unresolved(host):
                writer.write(f"HTTP/1.1 502 {why}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            writer.write(_ESTABLISHED)
            await writer.start_tls(self._context(host))
            head = b""
        there, back = await asyncio.open_unix_connection(str(self.answers))
        try:
            back.write(head)
            await together(_pipe(reader, back), _pipe(there, writer))
        finally:
            back.close()

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            name = sha256(host.encode()).hexdigest()[:16]  # a host comes from files that others wrote
            context.load_cert_chain(*self.authority.issue_into(self.keys, name, [host]))
            context.set_alpn_protocols(["http/1.1"])
            self._contexts[host] = context
        return self._contexts[host]


def _host(authority: str) -> str:
    """Of `host:port`, where a host may be an IPv6 address in brackets."""
    return authority.rpartition(":")[0].strip("[]").lower()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one of them ends; then the other is told."""
    try:
        while data := await reader.read(_AT_ONCE):
            writer.write(data)
            await writer.drain()
    finally:
        with suppress(OSError, RuntimeError):
            if writer.can_write_eof():
                writer.write_eof()
            else:
                writer.close()
