"""Sites that answer in the end with what the castle expects."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse

from phases.cluster.world import again, refused
from rebirth.phases import visit_sites
from rebirth.providers.web import Web
from rebirth.run.facts import IngressFound
from standins.transport import InProcess

PAGE = "<title>a blog</title><h1>The Ephemeral Castle</h1>"


@pytest.fixture
def build(new_world):
    """The ingress answers 404 for 30 s, then with a page."""

    def new(*, page=PAGE, status=200):
        async def ingress(scope, receive, send):
            request = Request(scope)
            world.visits.append((request.url.hostname, request.headers["host"], request.url.path))
            up = asyncio.get_running_loop().time() >= 30
            answer = HTMLResponse(page, status) if up else HTMLResponse("no such route", 404)
            await answer(scope, receive, send)

        world = new_world(visit_sites, IngressFound("192.168.50.200"), web=Web(transport=InProcess(ingress)))
        world.visits = []
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).headings == {"blog.tazlab.example": "The Ephemeral Castle"}
    assert world.visits[-1] == ("blog.tazlab.example", "blog.tazlab.example", "/")


async def test_again(build):
    world = build()
    await again(world)


async def test_killed_while_it_waits(build):
    world = build()
    await world.kill_after(20)
    assert (await world.create()).headings


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"status": 503}, "HTTP 503, expected 200"),
        ({"page": "<h1>It works!</h1>"}, "does not contain what online.sites expects"),
    ],
)
async def test_refused(build, wrong, said):
    world = build(**wrong)
    world.budget = 40
    failure = await refused(world, within=41)
    assert "https://blog.tazlab.example/ at 192.168.50.200" in str(failure)
    assert said in str(failure)
