"""What asks for another protocol is passed on byte by byte; what is HTTP is answered."""

import asyncio
import ssl

import pytest

from rebirth.lab.tailscale.upgrades import asks_for_another_protocol, passing_upgrades

ASKS = b"POST /ts2021 HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\n\r\n"


@pytest.fixture
async def server():
    """Answers an upgrade, then says everything back; `seen` are heads that reached it."""
    seen = []

    async def converse(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.close()

    listening = await asyncio.start_server(converse, "127.0.0.1", 0)
    listening.seen = seen
    listening.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield listening


async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def connect(served):
    return await asyncio.open_connection("localhost", served.port, ssl=served.trust)


async def test_an_upgrade_is_the_servers(serve, server):
    served = await serve(hello, http=passing_upgrades("127.0.0.1", server.port))
    reader, writer = await connect(served)
    for part in (ASKS[:20], ASKS[20:] + b"early "):  # a head in two parts, and what a client does not wait with
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.05)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
    assert await reader.readexactly(6) == b"EARLY "
    writer.write(b"and late")
    assert await reader.readexactly(8) == b"AND LATE"
    assert server.seen == [ASKS]
    writer.close()


async def test_http_stays_http(serve, server):
    served = await serve(hello, http=passing_upgrades("127.0.0.1", server.port))
    reader, writer = await connect(served)
    for _ in range(2):  # on one connection
        writer.write(b"GET /key HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(5) == b"hello"
    assert server.seen == []
    writer.close()


async def test_a_server_that_is_away_ends_the_connection(serve, unused_tcp_port):
    served = await serve(hello, http=passing_upgrades("127.0.0.1", unused_tcp_port))
    reader, writer = await connect(served)
    writer.write(ASKS)
    with pytest.raises((ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()


def test_only_the_head_asks():
    assert asks_for_another_protocol(ASKS)
    assert not asks_for_another_protocol(b"POST /upgrade: HTTP/1.1\r\nHost: localhost\r\n\r\nUpgrade: derp\r\n")
