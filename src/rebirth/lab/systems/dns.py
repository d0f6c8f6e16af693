"""The lab's name server: the only one there is. Two views: the operator also sees the tailnet's names."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dnslib import QTYPE, RCODE, RR, A, DNSError, DNSRecord

Resolve = Callable[[str], str | None]
_TTL = 5  # seconds


def answer(query: bytes, names: Mapping[str, str], tailnet: Resolve | None) -> bytes | None:
    """The reply to one query, None where it is none. `names` are host names in lower case; `tailnet` is asked besides."""
    try:
        request = DNSRecord.parse(query)
    except DNSError:
        return None
    reply = request.reply()
    name = str(request.q.qname).rstrip(".").lower()
    address = names.get(name) or (tailnet(name) if tailnet else None)
    if address is None:
        reply.header.rcode = RCODE.NXDOMAIN
    elif request.q.qtype in {QTYPE.A, QTYPE.ANY}:
        reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(address), ttl=_TTL))
    packed: bytes = reply.pack()
    return packed


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, reply: Callable[[bytes], bytes | None]) -> None:
        self._reply = reply

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if replied := self._reply(data):
            self._transport.sendto(replied, addr)


@dataclass(frozen=True)
class NameServer:
    datagrams: asyncio.BaseTransport
    streams: asyncio.Server

    async def close(self) -> None:
        self.datagrams.close()
        self.streams.close()
        await self.streams.wait_closed()


async def serve(
    address: str, names: Mapping[str, str], tailnet: Resolve | None = None, *, port: int = 53
) -> NameServer:
    """Answers on `address`, UDP and TCP; returns once it listens."""

    def reply(query: bytes) -> bytes | None:
        return answer(query, names, tailnet)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                if (answered := reply(await reader.readexactly(size))) is None:
                    break
                writer.write(len(answered).to_bytes(2, "big") + answered)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the other side has hung up
        finally:
            writer.close()

    loop = asyncio.get_running_loop()
    datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(reply), local_addr=(address, port))
    return NameServer(datagrams, await asyncio.start_server(converse, address, port))
