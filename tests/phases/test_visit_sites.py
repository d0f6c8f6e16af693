"""Sites, asked at the ingress' address under their own names."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from rebirth.castle import Online
from rebirth.errors import NotYet
from rebirth.lab.ca import Authority
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.phases import visit_sites
from rebirth.providers.web import Web
from rebirth.run.facts import IngressFound, SecretsResolved
from rebirth.secrets import Secret, SecretRef

HOST = "localhost"  # the certificate's name


@pytest.fixture
async def sites(serve):
    """`await sites.visit()`: the phase against a site that says `sites.page`."""
    faults = Faults()

    class Sites:
        page, status = "<html><h1>Ephemeral <b>Castle</b></h1></html>", 200

        def __init__(self):
            self.faults = faults

        async def visit(self, phase=visit_sites.visit_sites, *first):
            return await phase(*first, online, Web(), resolved, ingress)

    found = Sites()

    async def page(request):
        assert request.headers["host"] == HOST
        return HTMLResponse(found.page, found.status)

    served = await serve(faults.around("site", Starlette(routes=[Route("/", page)])))
    site = {"host": HOST, "contains": "Castle", "ca": {"secret": "site-ca"}}
    ingress = {"namespace": "traefik", "service": "traefik"}
    online = Online.model_validate({"ingress": ingress, "sites": [site]})
    resolved = SecretsResolved({SecretRef(secret="site-ca").secret: Secret(serve.ca.read_text())})
    ingress = found.ingress = IngressFound(f"127.0.0.1:{served.port}")
    return found


async def test_from_nothing_and_again_without_a_write(sites):
    fact = await sites.visit()
    assert fact.headings == {HOST: "Ephemeral Castle"}
    assert await sites.visit() == fact
    assert await sites.visit(visit_sites.still, fact)
    assert not sites.faults.writes


async def test_cut_off_in_between_and_again(sites):
    sites.faults.set("site", Fault(lose=True, times=1))
    assert (await sites.visit()).headings, "an answer that is lost is asked for again"
    sites.faults.set("site", Fault(die=True, times=1))
    with pytest.raises(NotYet, match=f"https://{HOST}/"):
        await sites.visit(visit_sites.still, None)


@pytest.mark.parametrize(
    ("change", "seen"),
    [({"status": 502}, "HTTP 502, expected 200"), ({"page": "<h1>Sign in</h1>"}, "the page does not hold")],
)
async def test_another_page_is_waited_out_and_does_not_hold(sites, change, seen):
    vars(sites).update(change)
    with pytest.raises(NotYet, match=seen):
        await sites.visit(visit_sites.still, None)
    visiting = asyncio.create_task(sites.visit())
    await asyncio.sleep(0.1)
    assert not visiting.done()
    for name in change:
        delattr(sites, name)
    assert (await visiting).headings


async def test_a_certificate_that_another_signed_is_refused(sites):
    other = SecretsResolved({"site-ca": Secret(Authority("another").pem)})
    online = Online.model_validate(
        {"ingress": {"namespace": "a", "service": "b"}, "sites": [{"host": HOST, "ca": {"secret": "site-ca"}}]}
    )
    with pytest.raises(NotYet, match=r"(?i)certificate"):
        await visit_sites.still(None, online, Web(), other, sites.ingress)
