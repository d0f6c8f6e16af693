"""An ASGI app as httpx2's transport, without sockets: for code on virtual time. Unlike httpx2's own it streams, so watches work."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
from starlette.types import ASGIApp, Message

from rebirth.lab.systems.faults import ABORT


class InProcess(httpx.AsyncBaseTransport):
    """Every request goes to the app; `requests` are their methods and paths."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.method, request.url.path))
        exchange = _Exchange(self._app, request, await request.aread())
        return await exchange.answer()


class _Exchange(httpx.AsyncByteStream):
    """One request, and the answer as it comes."""

    def __init__(self, app: ASGIApp, request: httpx.Request, body: bytes) -> None:
        self._read = request.extensions.get("timeout", {}).get("read")
        self._body: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        self._sent: asyncio.Queue[Message | BaseException] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._work = asyncio.create_task(self._run(app, _scope(request, self._abort)))

    async def _run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._sent.put)
        except Exception as error:  # noqa: BLE001 - what breaks the stand-in breaks the test that asked
            self._sent.put_nowait(error)

    async def _receive(self) -> Message:
        if self._body:
            return self._body.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def _abort(self) -> None:
        self._gone.set()
        self._sent.put_nowait(httpx.RemoteProtocolError("Server disconnected without sending a response."))

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout(self._read):
                message = await self._sent.get()
        except TimeoutError:
            raise httpx.ReadTimeout("") from None
        if isinstance(message, BaseException):
            raise message
        return message

    async def answer(self) -> httpx.Response:
        try:
            start = await self._next()
        except BaseException:
            await self.aclose()
            raise
        return httpx.Response(start["status"], headers=start["headers"], stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._next()
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body"):
                return

    async def aclose(self) -> None:
        self._gone.set()
        self._work.cancel()
        await asyncio.wait([self._work])


def _scope(request: httpx.Request, abort: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
        "extensions": {ABORT: abort},
    }
