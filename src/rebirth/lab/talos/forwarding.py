"""apid: who may ask, and which machine is meant; what is meant for another machine is passed on to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from grpclib import GRPCError, Status
from grpclib.client import Channel
from grpclib.const import Cardinality
from grpclib.exceptions import StreamTerminatedError
from grpclib.server import Stream

PORT = 50000
_READERS = frozenset({"os:admin", "os:operator", "os:reader"})


_PASSED_ON = {"proxyfrom": "apid"}


@dataclass(frozen=True)
class Call:
    path: str  # of the method
    message: Message
    request: type[Message]
    reply: type[Message]


class Router:
    """`own` are this machine's names; `tls` is how it speaks to other machines (None on workers: they pass nothing on)."""

    def __init__(self, own: frozenset[str], tls: ssl.SSLContext | None) -> None:
        self._own = own
        self._tls = tls

    def admit(self, stream: Stream[Any, Any], *, read: bool) -> None:
        """The roles are the organizations of the client's certificate. Raises GRPCError."""
        certificate = (stream.peer.cert() if stream.peer else None) or {}
        roles = {value for part in certificate.get("subject", ()) for key, value in part if key == "organizationName"}
        if not roles & (_READERS if read else {"os:admin"}):
            raise GRPCError(Status.PERMISSION_DENIED, "not authorized")

    def _targets(self, stream: Stream[Any, Any]) -> list[str]:
        metadata = stream.metadata
        if metadata is None or "proxyfrom" in metadata:
            return []
        return [str(node) for key in ("node", "nodes") for node in metadata.getall(key, [])]

    async def unary(
        self,
        stream: Stream[Any, Any],
        call: Call,
        answer: Callable[[Any], Coroutine[Any, Any, Any]],
    ) -> Message:
        """The machine's own answer, or the answers of all machines that are meant, each under its name."""
        targets = self._targets(stream)
        if not targets:
            own: Message = await answer(call.message)
            return own

        async def ask(target: str) -> Message:
            if target in self._own:
                found: Message = await answer(call.message)
                return found
            return await self._pass_on(target, call)

        merged: Any = call.reply()
        for target, found in zip(targets, await asyncio.gather(*map(ask, targets)), strict=True):
            for entry in found.messages:  # type: ignore[attr-defined]
                entry.metadata.hostname = target
            merged.MergeFrom(found)
        answers: Message = merged
        return answers

    async def streaming(
        self,
        stream: Stream[Any, Any],
        call: Call,
        answer: Callable[[Any], AsyncIterator[Any]],
    ) -> AsyncIterator[Any]:
        """The same for a call that is answered in parts; it can be meant for one machine only."""
        targets = self._targets(stream) or [""]
        if len(targets) > 1:
            raise GRPCError(Status.INVALID_ARGUMENT, "the stand-in streams from one machine at a time")
        if not targets[0] or targets[0] in self._own:
            async for part in answer(call.message):
                yield part
            return
        channel = self._channel(targets[0])
        try:
            async with channel.request(
                call.path, Cardinality.UNARY_STREAM, call.request, call.reply, metadata=_PASSED_ON
            ) as other:
                await other.send_message(call.message, end=True)
                async for part in other:
                    yield part
        finally:
            channel.close()

    async def _pass_on(self, target: str, call: Call) -> Message:
        channel = self._channel(target)
        try:
            async with channel.request(
                call.path, Cardinality.UNARY_UNARY, call.request, call.reply, timeout=10, metadata=_PASSED_ON
            ) as other:
                await other.send_message(call.message, end=True)
                found: Message = await other.recv_message() or call.reply()
                return found
        except (OSError, StreamTerminatedError, TimeoutError) as trouble:
            raise GRPCError(Status.UNAVAILABLE, f"{target}: {trouble}") from None
        finally:
            channel.close()

    def _channel(self, target: str) -> Channel:
        if self._tls is None:
            raise GRPCError(Status.PERMISSION_DENIED, "no request forwarding")
        return Channel(target, PORT, ssl=self._tls)
