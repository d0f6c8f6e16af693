"""Passes requests on to a real server, so that its writes can be counted and its faults arranged like a stand-in's."""

import ssl
from collections.abc import Mapping

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "LIST"]
# These belong to one connection (RFC 9110, 7.6.1), and lengths are made anew.
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "content-length"})


def passing_app(
    server: str, *, paths: Mapping[str, str] | None = None, trusted: ssl.SSLContext | None = None
) -> Starlette:
    """Everything is asked of the server at that URL, with the same headers, the host's name among them.

    `paths`: what is asked for under another path there. `trusted`: what its certificate is checked with, if it has one.
    """
    timeout, other = httpx.Timeout(60, connect=5), dict(paths or {})
    client = httpx.AsyncClient(base_url=server, timeout=timeout, trust_env=False, verify=trusted or True)

    async def passed(request: Request) -> Response:
        headers = [(name, value) for name, value in request.headers.items() if name not in _OF_THE_CONNECTION]
        url = httpx.URL(path=other.get(request.url.path, request.url.path), query=request.url.query.encode() or None)
        try:
            answer = await client.request(request.method, url, headers=headers, content=await request.body())
        except httpx.TransportError:
            return Response("bad gateway", 502)
        response = Response(answer.content, answer.status_code)
        for name, value in answer.headers.items():
            if name not in _OF_THE_CONNECTION | {"content-encoding"}:
                response.headers.append(name, value)
        return response

    app = Starlette(routes=[Route("/{path:path}", passed, methods=_METHODS)])
    app.state.client = client  # for whoever ends it before the process does
    return app
