"""The lab's name server: the only one there is. Two views: the operator also sees the tailnet's names."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from dnslib import QTYPE, RCODE, RR, A, DNSRecord

Resolve = Callable[[str], str | None]


def answer(query: bytes, names: Mapping[str, str], tailnet: Resolve | None) -> bytes:
    """The reply to one query. `names` are host names in lower case; `tailnet` is asked besides, in the operator's view."""
    request = DNSRecord.parse(query)
    reply = request.reply()
    name = str(request.q.qname).rstrip(".").lower()
    address = names.get(name) or (tailnet(name) if tailnet else None)
    if address is None:
        reply.header.rcode = RCODE.NXDOMAIN
    elif request.q.qtype in {QTYPE.A, QTYPE.ANY}:
        reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(address), ttl=5))
    packed: bytes = reply.pack()
    return packed


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, reply: Callable[[bytes, str], bytes]) -> None:
        self._reply = reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        assert isinstance(self._transport, asyncio.DatagramTransport)
        self._transport.sendto(self._reply(data, str(addr[0])), addr)


async def serve(address: str, names: Mapping[str, str], tailnet: Resolve | None = None) -> None:
    """Answers on port 53 of `address`, UDP and TCP; returns once it listens."""

    def reply(query: bytes, source: str) -> bytes:
        return answer(query, names, tailnet)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2), "big")
            answered = reply(await reader.readexactly(size), "")
            writer.write(len(answered).to_bytes(2, "big") + answered)
            await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: _Datagrams(reply), local_addr=(address, 53))
    await asyncio.start_server(converse, address, 53)
