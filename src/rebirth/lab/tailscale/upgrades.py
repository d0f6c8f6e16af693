"""Connections that stop being HTTP: what asks for another protocol is between the client and the control server.

Tailscale's clients ask so for their control protocol (/ts2021) and for the relay (/derp), each on a connection of its own.
"""

import asyncio
import socket
from contextlib import suppress
from typing import cast

from rebirth.lab.systems.faults import Breakable

_END = b"\r\n\r\n"
_LONGEST = 1 << 16  # bytes of a request's head
_CHUNK = 1 << 16
_SILENT = 20_000  # milliseconds after which a client that acknowledges nothing is gone: its machine was switched off


def passing_upgrades(host: str, port: int) -> type[Breakable]:
    """Uvicorn's HTTP for what is HTTP; a connection whose first request has an Upgrade header goes to that server."""
    relays: set[asyncio.Task[None]] = set()

    class Passing(Breakable):
        _head: bytes | None = b""  # of the first request, until it is whole

        def data_received(self, data: bytes) -> None:
            if self._head is not None:
                data = self._head + data
                if _END not in data and len(data) < _LONGEST:
                    self._head = data
                    return
                self._head = None
                if asks_for_another_protocol(data):
                    self._hand_over(data)
                    return
            super().data_received(data)

        def _hand_over(self, begun: bytes) -> None:
            """Uvicorn forgets the connection, as it does with WebSockets."""
            self.connections.discard(self)
            task = asyncio.get_running_loop().create_task(relay(self.transport, begun, host, port))
            relays.add(task)
            task.add_done_callback(relays.discard)

    return Passing


def asks_for_another_protocol(head: bytes) -> bool:
    lines = head.partition(_END)[0].lower().split(b"\r\n")[1:]
    return any(line.startswith(b"upgrade:") for line in lines)


async def relay(transport: asyncio.Transport, begun: bytes, host: str, port: int) -> None:
    """Passes on what comes on `transport`, of which `begun` has come already, and what is answered, until one side ends."""
    _notice_silence(transport)
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    reader.feed_data(begun)
    client = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
    try:
        answers, server = await asyncio.open_connection(host, port)
    except OSError:
        transport.abort()
        return
    ways = [asyncio.create_task(_pass(reader, server)), asyncio.create_task(_pass(answers, client))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for writer in (server, client):
            writer.close()


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()


def _notice_silence(transport: asyncio.Transport) -> None:
    """The kernel ends the connection of a machine that was switched off: the control server would count it as connected for long."""
    connection = cast("socket.socket", transport.get_extra_info("socket"))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENT)
