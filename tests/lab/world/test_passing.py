"""What stands before a real server: everything is passed on, some of it under another path."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from rebirth.lab.systems.passing import passing_app


async def tell(request: Request) -> JSONResponse:
    """What reaches the server behind it."""
    return JSONResponse({"path": request.url.path, "host": request.headers["host"], "query": str(request.query_params)})


@asynccontextmanager
async def asking(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://acme.example") as client:
        yield client
    await app.state.client.aclose()


async def test_a_path_may_have_another_name_behind_it(serve):
    behind = await serve(Starlette(routes=[Route("/{path:path}", tell)]))
    async with asking(passing_app(behind.url, paths={"/directory": "/dir"}, trusted=behind.trust)) as client:
        assert (await client.get("/directory")).json() == {"path": "/dir", "host": "acme.example", "query": ""}
        assert (await client.get("/directory/x")).json()["path"] == "/directory/x"
        assert (await client.get("/order?a=1")).json() == {"path": "/order", "host": "acme.example", "query": "a=1"}


async def test_a_certificate_that_is_not_trusted_is_a_bad_gateway(serve):
    behind = await serve(Starlette(routes=[Route("/{path:path}", tell)]))
    async with asking(passing_app(behind.url)) as client:
        assert (await client.get("/directory")).status_code == 502
