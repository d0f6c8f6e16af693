"""Sites that answer in the end with what the castle expects."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from phases.cluster.world import again, castle_with, refused
from rebirth.castle import Sites
from rebirth.errors import NotYet
from rebirth.lab.ca import Authority
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.phases import visit_sites
from rebirth.providers.web import Web
from rebirth.run.facts import AwaitedReady, IngressFound, SecretsResolved, SitesVisited
from rebirth.secrets import Secret
from standins.transport import InProcess

FOUND = IngressFound("192.168.50.200")
PAGE = "<title>a blog</title><h1>The Ephemeral Castle</h1>"


@pytest.fixture
def build(new_world):
    """The ingress answers 404 for 30 s, then with a page."""

    def new(*, page=PAGE, status=200, fact=FOUND, **sections):
        async def ingress(scope, receive, send):
            request = Request(scope)
            world.visits.append((scope["server"][0], request.headers["host"], request.url.path))
            up = asyncio.get_running_loop().time() >= 30
            answer = HTMLResponse(world.page, world.status) if up else HTMLResponse("no such route", 404)
            await answer(scope, receive, send)

        world = new_world(visit_sites, fact, web=Web(transport=InProcess(ingress)), castle=castle_with(**sections))
        world.visits, world.page, world.status = [], page, status
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).headings == {"blog.tazlab.example": "The Ephemeral Castle"}
    assert world.visits[-1] == ("192.168.50.200", "blog.tazlab.example", "/")


@pytest.mark.parametrize(
    ("online", "visited"),
    [
        ({"gateway": {"namespace": "network", "name": "external"}}, "192.168.50.200"),
        ({"tunnel": {"namespace": "network", "name": "cloudflared"}}, "blog.tazlab.example"),
        ({"tunnel": {"namespace": "network", "name": "cloudflared"}, "address": "198.51.100.7"}, "198.51.100.7"),
        ({"workload": {"namespace": "a", "name": "b"}, "address": "fd00::7"}, "fd00::7"),
    ],
)
async def test_where_a_site_is_visited(build, online, visited):
    """At an address of its own; else at that of the way in; else, through a tunnel, where DNS says."""
    address = online.pop("address", None)
    site = {"host": "blog.tazlab.example", "contains": "Castle"} | ({"address": address} if address else {})
    fact = FOUND if "gateway" in online else AwaitedReady("it")
    world = build(fact=fact, online={**online, "sites": [site]})
    await world.create()
    assert world.visits[-1][0] == visited


async def test_again(build):
    world = build()
    await again(world)


@pytest.mark.parametrize("change", [{"status": 502}, {"page": "<h1>Sign in</h1>"}])
async def test_with_another_page_it_does_not_hold(build, change):
    world = build()
    await world.create()
    assert await world.holds()
    vars(world).update(change)
    assert not await world.holds()


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


@pytest.fixture
async def site(serve):
    """`await site(authority)`: one visit to a site behind a real server, by somebody who trusts that authority."""
    faults = Faults()

    async def page(request):
        return HTMLResponse(PAGE)

    served = await serve(faults.around("site", Starlette(routes=[Route("/", page)])))
    online = Sites.model_validate({"sites": [{"host": "localhost", "contains": "Castle", "ca": {"secret": "site-ca"}}]})

    async def visit(authority, *fact):
        known = SecretsResolved({"site-ca": Secret(authority)})
        taken = online, Web(), known, IngressFound(f"127.0.0.1:{served.port}")
        return await (visit_sites.still(*fact, *taken) if fact else visit_sites.visit_sites(*taken, None))

    visit.faults = faults
    return visit


async def test_cut_off_in_between_and_again(site, serve):
    site.faults.set("site", Fault(lose=True, times=1))
    assert (await site(serve.ca.read_text())).headings == {"localhost": "The Ephemeral Castle"}, (
        "an answer that is lost is asked for again"
    )
    site.faults.set("site", Fault(die=True, times=1))
    with pytest.raises(NotYet, match="https://localhost/"):
        await site(serve.ca.read_text(), SitesVisited({}))


async def test_a_certificate_that_another_signed_is_refused(site):
    with pytest.raises(NotYet, match=r"(?i)certificate"):
        await site(Authority("another").pem, SitesVisited({}))
