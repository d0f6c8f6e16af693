"""Who answers for which host and path; what nobody has is refused for good, in words that a controller's condition repeats."""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rebirth.lab.systems.faults import REASON
from rebirth.rehearse.outside.missing import Missing, Refusals
from rebirth.rehearse.outside.names import Askers, address
from rebirth.store.store import Store

_SCHEMES = ("http://", "https://")


class Part(Protocol):
    """Answers for some hosts and paths: None where it is another's to answer."""

    async def answer(self, request: Request) -> Response | None: ...


def refused(missing: Missing) -> Response:
    """404: nobody asks a second time at once, and no condition takes it for passing. Helm repeats the reason phrase, Git the body."""
    phrase = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in missing.answer)
    return PlainTextResponse(missing.answer, 404, headers={REASON: f"Not Found: {phrase}"})


def answers_app(parts: Sequence[Part], refusals: Refusals, askers: Askers) -> ASGIApp:
    """The first part that answers does."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(_without_origin(scope), receive)
        for part in parts:
            if (found := await part.answer(request)) is not None:
                await found(scope, receive, send)
                return
        url = url_of(request)
        missing = Missing("file", url) if _is_base(request) else refusals.add("file", url, askers.of(address(url)))
        await refused(missing)(scope, receive, send)

    return app


def _is_base(request: Request) -> bool:
    """Whether kustomize asks for a base in a Git repository as if it were a file, before it asks git."""
    return "//" in request.url.path or "ref" in request.query_params


def _without_origin(scope: Scope) -> Scope:
    """A proxy is asked with the whole URL, which says no more than the header `Host`."""
    if scope["path"].startswith(_SCHEMES):
        scope["path"] = urlsplit(scope["path"]).path or "/"
    return scope


def url_of(request: Request) -> str:
    """As it was asked for; whether it was encrypted is not known here."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"https://{host_of(request)}{request.url.path}{query}"


def host_of(request: Request) -> str:
    return request.headers.get("host", "").lower().removesuffix(":443").removesuffix(":80")


class Files:
    """Plain files of the web."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def answer(self, request: Request) -> Response | None:
        url = url_of(request)
        for one in (url, url.replace("https://", "http://", 1)):
            if (found := self._store.file(one)) is not None:
                return FileResponse(found)
        return None
