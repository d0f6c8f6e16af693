"""What clients ask of the stand-in and what it answers, for somebody who holds both against the published API."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECRETS = frozenset({"cipassword", "password"})


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. Nothing of the headers; no value of a password."""

    verb: str
    path: str
    given: dict[str, Any]  # of query and body; a file is its name
    status: int
    answer: Any  # the JSON of the body, or its text


def recording(app: ASGIApp, note: Callable[[Exchange], None]) -> ASGIApp:
    """`app`, with every exchange noted once it is over."""

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        answer: dict[str, Any] = {"status": 0, "body": b""}

        bodies = [body]

        async def again() -> Message:
            if not bodies:
                return await receive()
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}

        async def heard(message: Message) -> None:
            answer["status"] = message.get("status", answer["status"])
            answer["body"] += message.get("body", b"")
            await send(message)

        await app(scope, again, heard)
        given = await _given(scope, body)
        note(Exchange(scope["method"], scope["path"], given, answer["status"], _json(answer["body"])))

    return recorded


async def _given(scope: Scope, body: bytes) -> dict[str, Any]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    request = Request(scope, receive)
    given: dict[str, Any] = dict(request.query_params)
    if "json" in request.headers.get("content-type", ""):
        said = _json(body)
        given |= said if isinstance(said, dict) else {}
    else:
        async with request.form() as form:
            given |= {name: value if isinstance(value, str) else value.filename for name, value in form.items()}
    return {name: "" if name in _SECRETS else value for name, value in given.items()}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def into(file: Path) -> Callable[[Exchange], None]:
    """Notes that are lines of JSON at the end of a file."""

    def write(exchange: Exchange) -> None:
        with file.open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(asdict(exchange)) + "\n")

    return write
