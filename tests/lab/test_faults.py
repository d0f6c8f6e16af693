"""Faults, as clients see them: over a real connection."""

import asyncio
import time

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from rebirth.lab.systems.faults import Fault, Faults


@pytest.fixture
async def system(serve):
    """A client of a small system `shop`, its faults, and the requests that reached it."""
    reached: list[str] = []

    async def answer(request):
        reached.append(f"{request.method} {request.url.path}")
        return PlainTextResponse("fine")

    faults = Faults()
    methods = ["GET", "POST", "PUT", "DELETE"]
    served = await serve(faults.around("shop", Starlette(routes=[Route("/{rest:path}", answer, methods=methods)])))
    async with httpx.AsyncClient(base_url=served.url, verify=served.trust, trust_env=False) as client:
        yield client, faults, reached


async def test_counts_writes_and_no_reads(system):
    client, faults, _ = system
    for method, path in [
        ("GET", "/a"),
        ("HEAD", "/a"),
        ("POST", "/a"),
        ("DELETE", "/a"),
        ("POST", "/oauth/token"),
    ]:
        await client.request(method, path)
    assert faults.writes == {"shop": 2}


async def test_fails_as_often_as_told_and_is_not_reached(system):
    client, faults, reached = system
    faults.set("shop", Fault(status=503, times=2))
    statuses = [(await client.post("/a")).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert reached == ["POST /a"]
    assert faults.writes["shop"] == 1, "a write that did not reach the system is none"


async def test_fails_for_ever_until_cleared(system):
    client, faults, _ = system
    faults.set("shop", Fault(status=500))
    assert [(await client.get("/a")).status_code for _ in range(3)] == [500] * 3
    faults.clear()
    assert (await client.get("/a")).status_code == 200


async def test_clearing_tells_how_often_a_fault_was_met(system):
    client, faults, _ = system
    faults.set("shop", Fault(status=503, times=2))
    for _ in range(3):
        await client.get("/a")
    assert faults.clear() == {"shop": 2}
    faults.set("shop", Fault(status=503, path="/b"))
    await client.get("/a")
    assert faults.clear() == {}, "not met, and what was told is forgotten"


@pytest.mark.parametrize(
    ("method", "path", "hit"), [("GET", "/vm/1", False), ("POST", "/vm/1", True), ("POST", "/disk/1", False)]
)
async def test_hits_only_what_it_names(system, method, path, hit):
    client, faults, _ = system
    faults.set("shop", Fault(status=500, path=r"/vm/\d+$", method="post"))
    assert (await client.request(method, path)).status_code == (500 if hit else 200)


async def test_of_another_system_hits_nothing(system):
    client, faults, _ = system
    faults.set("market", Fault(status=500))
    assert (await client.get("/a")).status_code == 200


async def test_slow(system):
    client, faults, _ = system
    faults.set("shop", Fault(delay=0.2, times=1))
    since = time.monotonic()
    assert (await client.get("/a")).status_code == 200
    assert time.monotonic() - since >= 0.2
    faults.set("shop", Fault(delay=0.5))
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/a", timeout=0.1)


async def test_dies_without_an_answer(system):
    client, faults, reached = system
    faults.set("shop", Fault(die=True, times=1))
    with pytest.raises(httpx.TransportError):
        await client.post("/a", content=b"x" * 100_000)
    assert (reached, faults.writes) == ([], {})
    assert (await client.post("/a")).status_code == 200


async def test_loses_the_answer_of_what_was_done(system):
    client, faults, reached = system
    faults.set("shop", Fault(lose=True, times=1))
    with pytest.raises(httpx.TransportError):
        await client.post("/a")
    assert (reached, faults.writes["shop"]) == (["POST /a"], 1)


async def test_a_death_is_seen_on_the_wire_as_an_end_and_not_as_a_status(system):
    client, faults, _ = system
    faults.set("shop", Fault(die=True))
    address = str(client.base_url)
    curl = await asyncio.create_subprocess_exec(
        "curl", "-sk", "-w", "%{http_code}", address, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await curl.communicate()
    assert (said, curl.returncode != 0) == (b"000", True)


def test_a_path_that_is_no_expression_is_refused():
    with pytest.raises(ValueError, match="no regular expression"):
        Fault(path="(")
    with pytest.raises(ValidationError):
        TypeAdapter(Fault).validate_json('{"path": "("}')
