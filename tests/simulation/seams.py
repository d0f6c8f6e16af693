"""The two seams: how a request travels, and how a program is run. Here faults strike, and here a run can be killed."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2 as httpx
import requests
from requests.adapters import BaseAdapter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rebirth.commands import Commands, ProgramFailed
from rebirth.secrets import Redaction
from simulation.faults import Struck
from simulation.host import Host, Killed
from standins.programs import Call, Exit
from standins.statuses import Refused

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_HARMLESS = ("/oauth/token", "/sys/capabilities-self", "/schematics")  # leave nothing behind
_SLOW = 12.0  # seconds: longer than most answers take, and shorter than anybody waits
_PAGE = "<html><body>503 Service Temporarily Unavailable</body></html>"
_REASON = "x-rebirth-reason"
_UPID = re.compile(r"UPID:[^/]*")
App = Callable[..., Awaitable[None]]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    takes: float = 0.0  # seconds


class Dropped(Exception):  # noqa: N818 - what happened to the connection
    """`kind` is refused, hang up, or times out."""

    def __init__(self, kind: str, takes: float = 0.0) -> None:
        super().__init__(kind)
        self.kind, self.takes = kind, takes


@dataclass
class System:
    """One system outside, by the app that answers for it. `gone` says whether nobody listens there now."""

    host: Host
    name: str
    app: App
    struck: Struck
    gone: Callable[[], bool] = lambda: False
    wrote: Callable[[str], None] = lambda what: None
    watch: Callable[[Request], Awaitable[Response]] | None = None  # of the Kubernetes API

    def ask(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes, patience: float) -> Answer:
        """One exchange. Raises Dropped, or Killed before or after it."""
        path, host = url.path, self.host
        writes = method not in _READS and not path.endswith(_HARMLESS) and "dryRun" not in str(url.query)
        what = f"{self.name} {method} {_UPID.sub('UPID', path)}"
        host.alive()
        if writes:
            host.point(f"before {what}")
        kind = self.struck.strike(self.name, method, path, host.now())
        if kind:
            host.note(f"FAULT {kind}: {what}")
        if self.gone() or kind == "refused":
            raise Dropped("refused")
        if kind in {"hang up", "times out"}:
            raise Dropped(kind, 0.1 if kind == "hang up" else patience)
        if answer := _instead(kind, body if writes else b""):
            return answer
        with host.world():
            answer = _driven(self.app, method, url, headers, body)
        if writes:
            host.note(f"{what} -> {answer.status}")
            self.wrote(what)
            host.point(f"after {what}")
        if kind == "lost":
            raise Dropped("hang up", 0.1)
        if kind == "slow":
            answer.takes = _SLOW
        return answer


def _instead(kind: str, sent: bytes) -> Answer | None:
    """What comes in the place of the system's own answer."""
    if kind.isdigit():
        return Answer(int(kind), {"content-type": "text/html"}, _PAGE.encode())
    if kind == "locked":
        return Answer(
            500, {_REASON: "can't lock file '/var/lock/qemu-server/lock.conf' - got timeout"}, b'{"data":null}'
        )
    if kind == "not json":
        return Answer(200, {"content-type": "text/html"}, _PAGE.encode())
    if kind == "other json":
        return Answer(200, {"content-type": "application/json"}, b'{"status":"ok"}')
    if kind == "redirect":
        return Answer(302, {"location": "https://portal.example/login", "content-type": "text/html"}, b"")
    if kind == "lie" and sent:
        return Answer(200, {"content-type": "application/json"}, sent)
    return None


def _driven(app: App, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Answer:
    """Runs an ASGI app that waits for nobody."""
    sent: list[Any] = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    work = app(_scope(method, url, headers), receive, send)
    try:
        work.send(None)
    except StopIteration:
        start, *rest = sent
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], found, b"".join(message.get("body", b"") for message in rest))
    work.close()
    raise RuntimeError(f"{method} {url.path}: the stand-in waits for somebody")


def _scope(method: str, url: httpx.URL, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": url.scheme,
        "headers": [(name.lower().encode(), str(value).encode()) for name, value in headers.items()],
        "path": url.path, "raw_path": url.raw_path.partition(b"?")[0], "query_string": url.query,
        "server": (url.host, url.port), "client": ("127.0.0.1", 0), "root_path": "", "extensions": {},
    }  # fmt: skip


class Wire(httpx.AsyncBaseTransport):
    """For httpx: every request goes to the system."""

    def __init__(self, host: Host, system: System) -> None:
        self._host, self._system = host, system

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host, body = self._host, await request.aread()
        patience = request.extensions.get("timeout", {}).get("read") or 30.0
        await asyncio.sleep(host.latency())
        if request.url.params.get("watch"):
            return await self._watch(request)
        try:
            answer = self._system.ask(request.method, request.url, request.headers, body, patience)
        except Killed:
            return await host.loop.create_future()  # for ever
        except Dropped as dropped:
            await asyncio.sleep(dropped.takes)
            host.alive()
            raise _ASYNC[dropped.kind]("", request=request) from None
        await asyncio.sleep(answer.takes + host.latency())
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)

    async def _watch(self, request: httpx.Request) -> httpx.Response:
        system = self._system
        if self._host.dead:
            return await self._host.loop.create_future()
        kind = system.struck.strike(system.name, "GET", request.url.path, self._host.now())
        if system.gone():
            kind = "refused"
        if kind in _ASYNC:
            raise _ASYNC[kind]("", request=request)
        if answer := _instead(kind, b""):
            return httpx.Response(answer.status, headers=answer.headers, content=answer.body)
        assert system.watch
        try:
            said = await system.watch(Request(_scope(request.method, request.url, request.headers)))
        except Refused as refused:
            return httpx.Response(refused.code, json=refused.body())
        if not isinstance(said, StreamingResponse):  # nobody serves that kind
            return httpx.Response(said.status_code, content=said.body)
        return httpx.Response(
            200, headers={"content-type": "application/json"}, stream=_Lines(said.body_iterator, request)
        )


class _Lines(httpx.AsyncByteStream):
    """What a watch says, as it comes."""

    def __init__(self, lines: AsyncIterator[str], request: httpx.Request) -> None:
        self._lines, self._request = lines, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        patience = self._request.extensions.get("timeout", {}).get("read")
        while True:
            try:
                async with asyncio.timeout(patience):
                    line = await anext(self._lines)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise httpx.ReadTimeout("", request=self._request) from None
            yield line.encode()

    async def aclose(self) -> None:
        await self._lines.aclose()  # type: ignore[attr-defined]  # it is a generator


_ASYNC = {"refused": httpx.ConnectError, "hang up": httpx.RemoteProtocolError, "times out": httpx.ReadTimeout}
_SYNC = {"refused": requests.ConnectionError, "hang up": requests.ConnectionError, "times out": requests.ReadTimeout}


class SyncWire(BaseAdapter):
    """For requests."""

    def __init__(self, host: Host, system: System) -> None:
        super().__init__()
        self._host, self._system = host, system

    def send(self, request: Any, stream: Any = False, timeout: Any = None, **options: Any) -> requests.Response:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        patience = timeout[1] if isinstance(timeout, tuple) else timeout or 20.0
        try:
            said = self._system.ask(str(request.method), httpx.URL(str(request.url)), request.headers, body, patience)
        except Dropped as dropped:
            self._host.took = dropped.takes
            raise _SYNC[dropped.kind](request=request) from None
        self._host.took = said.takes + self._host.latency()
        answer = requests.Response()
        answer.status_code = said.status
        answer.reason = said.headers.get(_REASON) or HTTPStatus(said.status).phrase
        answer._content, answer.url, answer.request = said.body, str(request.url), request
        answer.headers.update(said.headers)
        return answer

    def close(self) -> None:
        pass


# -- programs

Program = Callable[[Call], Awaitable[str]]
_SAID = {  # in the words of programs written in Go, and of git
    "429": "error: 429 Too Many Requests",
    "503": "error: 503 Service Unavailable",
    "refused": "connection refused; fatal: unable to access: Connection refused",
    "hang up": "EOF: The remote end hung up unexpectedly",
    "lost": "rpc error: code = Unavailable desc = EOF",
    "no host": "no such host; Could not resolve host",
    "times out": "context deadline exceeded: timed out",
}


@dataclass
class Tool:
    """A program: who answers for it, as which system it fails, which of its calls change something."""

    answer: Program
    system: str
    changes: Callable[[Sequence[str]], bool]
    name: Callable[[Sequence[str]], str]


@dataclass
class Runner(Commands):
    """Runs what stands in for programs. They die with the product."""

    host: Host
    struck: Struck
    tools: dict[str, Tool]
    look: Callable[[str, str], None]  # place and what was shown there
    redaction: Redaction
    running: dict["asyncio.Task[str]", str] = field(default_factory=dict)  # with their names, in order

    def __post_init__(self) -> None:
        super().__init__(self.redaction)

    def require(self, *programs: str) -> None:
        assert set(programs) <= {*self.tools, "flux"}

    def die(self) -> None:
        for task in list(self.running):
            task.cancel()

    async def run(
        self,
        argv: Sequence[str],
        *,
        operation: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        both: bool = False,
    ) -> str:
        host = self.host
        host.alive()
        tool = self.tools[argv[0]]
        name = tool.name(argv)
        self.look("arguments of a program", " ".join(argv))
        await asyncio.sleep(host.latency())
        try:
            if tool.changes(argv):
                host.point(f"before {name}")
            task = host.spawn(self._answered(tool, name, Call(tuple(argv), stdin, env or {})))
            self.running[task] = name
            try:
                said = await asyncio.shield(task)
            except asyncio.CancelledError:
                task.cancel()
                raise
            finally:
                self.running.pop(task, None)
            if tool.changes(argv):
                host.point(f"after {name}")
        except Killed:
            return await host.loop.create_future()
        except Exit as end:
            raise ProgramFailed(argv[0], operation, end.code, self.redaction.redact(end.said)) from None
        await asyncio.sleep(host.latency())
        return said

    async def _answered(self, tool: Tool, name: str, call: Call) -> str:
        changes = tool.changes(call.argv)
        kind = self.struck.strike(tool.system, "POST" if changes else "GET", name, self.host.now())
        if kind:
            self.host.note(f"FAULT {kind}: {name}")
        if kind == "times out":
            await asyncio.sleep(30)
        if kind == "lie" and changes:
            return ""
        if kind in _SAID and kind != "lost":
            raise Exit(1, _SAID[kind])
        said = await tool.answer(call)
        if changes:
            self.host.note(name)
        if kind == "lost" and changes:
            raise Exit(1, _SAID[kind])
        return said
