"""Step 8 of the protocol: the castle is online when its sites answer with what is expected."""

from functools import partial

from rebirth.castle import Online, Site
from rebirth.errors import NotYet
from rebirth.providers.web import Page, Web
from rebirth.run.facts import Converged, IngressFound, SecretsResolved, SitesVisited
from rebirth.run.waiting import together, until

LAYER = "waits"
PATIENCE = 900
WAITS_FOR = (Converged,)  # the graph brings the sites
WAITS = True
VERIFIES = True
ONLINE = True


async def visit_sites(online: Online, web: Web, secrets: SecretsResolved, ingress: IngressFound) -> SitesVisited:
    """Visit the sites."""
    pages = await together(
        *(
            until(
                partial(_visit, site, web, secrets, ingress.address), what=f"{site.host} answers", every=0.5, slowest=3
            )
            for site in online.sites
        )
    )
    return SitesVisited({site.host: page.heading for site, page in zip(online.sites, pages, strict=True)})


async def found(online: Online, web: Web, secrets: SecretsResolved, ingress: IngressFound) -> SitesVisited:
    pages = await together(*(_visit(site, web, secrets, ingress.address) for site in online.sites))
    return SitesVisited({site.host: page.heading for site, page in zip(online.sites, pages, strict=True)})


async def still(fact: SitesVisited, online: Online, web: Web, secrets: SecretsResolved, ingress: IngressFound) -> bool:
    await together(*(_visit(site, web, secrets, ingress.address) for site in online.sites))
    return True


async def _visit(site: Site, web: Web, secrets: SecretsResolved, address: str) -> Page:
    ca = secrets[site.ca] if site.ca else None
    page = await web.visit(host=site.host, path=site.path, address=address, ca=ca)
    if page.status != site.status:
        raise NotYet(f"https://{site.host}{site.path} at {address}: HTTP {page.status}, expected {site.status}")
    if site.contains not in page.text:
        raise NotYet(f"https://{site.host}{site.path} at {address}: the page does not hold what online.sites expects")
    return page
