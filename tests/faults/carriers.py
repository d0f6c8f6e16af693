"""Lines that can be cut, as each library knows them: httpx2's transport, an adapter of requests, a program."""

import asyncio
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from starlette.types import ASGIApp, Message
from urllib3.exceptions import (
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from faults.wrongs import Break, Line, Wrong, is_mistrust, mistrust
from rebirth.lab.systems.faults import REASON
from standins.programs import Call, Exit, Program


class Carried(httpx.AsyncBaseTransport):
    """Requests on their way to `inner`, over a line that can be cut."""

    def __init__(self, line: Line, inner: httpx.AsyncBaseTransport) -> None:
        self._line, self._inner = line, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        wrong = self._line.strike(request.method, request.url.path)
        if wrong is None:
            return await self._inner.handle_async_request(request)
        patience = request.extensions.get("timeout", {}).get("read") or 5.0
        if wrong.seconds >= patience or wrong.breaks is Break.SILENT:
            await asyncio.sleep(patience)
            raise httpx.ReadTimeout("", request=request)
        await asyncio.sleep(wrong.seconds)
        if wrong.breaks is not None and not wrong.lost:
            raise _httpx_error(wrong.breaks, request)
        if wrong.status is not None:
            return httpx.Response(wrong.status, headers=_headers(wrong), content=wrong.body, request=request)
        answer = await self._inner.handle_async_request(request)
        if wrong.lost:
            await answer.aclose()
            raise _httpx_error(Break.HUNG_UP, request)
        return answer


def _headers(wrong: Wrong) -> dict[str, str]:
    return {"content-type": wrong.kind} | ({"location": wrong.location} if wrong.location else {})


def _httpx_error(how: Break, request: httpx.Request) -> Exception:
    if how is Break.HUNG_UP:
        return httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
    error = httpx.ConnectError(how.value, request=request)
    if is_mistrust(how):
        error.__cause__ = mistrust(how)
    return error


class Adapter(BaseAdapter):
    """The same for requests, to an ASGI app in this thread, on a virtual clock."""

    def __init__(self, line: Line, app: ASGIApp) -> None:
        super().__init__()
        self._line, self._app = line, app
        self.answers: Callable[[bytes], bytes] = lambda content: content  # what becomes of them on the way

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        method, path = str(request.method), urlsplit(str(request.url)).path
        wrong = self._line.strike(method, path)
        if wrong is None:
            status, headers, content = _asked(self._app, request)
            return _answer(request, status, headers, self.answers(content))
        patience = _read_timeout(options.get("timeout"))
        if wrong.seconds >= patience or wrong.breaks is Break.SILENT:
            _pass(patience)
            raise requests.ReadTimeout(ReadTimeoutError(None, "", "Read timed out."), request=request)  # type: ignore[arg-type]
        _pass(wrong.seconds)
        if wrong.breaks is not None and not wrong.lost:
            raise _requests_error(wrong.breaks, request)
        if wrong.status is not None:
            return _answer(request, wrong.status, _headers(wrong), wrong.body)
        answer = _asked(self._app, request)
        if wrong.lost:
            raise _requests_error(Break.HUNG_UP, request)
        return _answer(request, *answer)

    def close(self) -> None:
        pass


def _read_timeout(timeout: Any) -> float:
    return float(timeout[1] if isinstance(timeout, tuple) else timeout or 5.0)


def _pass(seconds: float) -> None:
    """Time that goes by while a thread would wait."""
    asyncio.get_running_loop()._jumping.now += seconds


def _requests_error(how: Break, request: requests.PreparedRequest) -> Exception:
    if how is Break.HUNG_UP:
        return requests.ConnectionError(ProtocolError("Connection aborted."), request=request)
    reason: Exception = NewConnectionError(None, how.value)  # type: ignore[arg-type]
    if how is Break.NO_NAME:
        reason = NameResolutionError("host", None, OSError(-2, how.value))  # type: ignore[arg-type]
    if is_mistrust(how):
        reason = SSLError(mistrust(how))
    kind = requests.exceptions.SSLError if is_mistrust(how) else requests.ConnectionError
    return kind(MaxRetryError(None, str(request.url), reason), request=request)  # type: ignore[arg-type]


def _asked(app: ASGIApp, request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
    """What the app answers."""
    parts = urlsplit(str(request.url))
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    outgoing: list[Message] = []

    async def receive() -> Message:
        return incoming.pop() if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        outgoing.append(message)

    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": headers,
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "server": (parts.hostname, parts.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
        "extensions": {},
    }
    _driven(app(scope, receive, send))
    start = next(message for message in outgoing if message["type"] == "http.response.start")
    content = b"".join(message.get("body", b"") for message in outgoing if message["type"] == "http.response.body")
    return start["status"], {key.decode(): value.decode("latin-1") for key, value in start["headers"]}, content


def _driven(work: Coroutine[Any, Any, Any]) -> None:
    """Runs what waits for nothing but its turn, to its end."""
    try:
        while True:
            waits_for = work.send(None)
            assert waits_for is None, f"a stand-in that is asked from a thread waits for {waits_for}"
    except StopIteration:
        pass


def _answer(
    request: requests.PreparedRequest, status: int, headers: dict[str, str], content: bytes
) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.reason = status, headers.pop(REASON, HTTPStatus(status).phrase if status < 595 else "")
    answer._content, answer.url, answer.request = content, str(request.url), request
    answer.headers = CaseInsensitiveDict(headers)
    return answer


def carried(line: Line, program: Program) -> Program:
    """A program that can go wrong."""

    async def run(call: Call) -> str:
        wrong = line.strike("run", " ".join(call.argv))
        if wrong is None:
            return await program(call)
        await asyncio.sleep(wrong.seconds)
        if wrong.instead is not None:
            return wrong.instead
        if wrong.said is not None and not wrong.lost:
            raise Exit(1, wrong.said)
        answer = await program(call)
        if wrong.lost:
            raise Exit(1, wrong.said or "EOF")
        return answer

    return run


Arrange = Callable[[Any], None]
