"""Step 8 of the protocol: the castle is online when its sites answer with what is expected."""

from functools import partial

from rebirth.castle import Site, Sites
from rebirth.errors import NotYet
from rebirth.providers.web import Page, Web
from rebirth.run.facts import AwaitedReady, Converged, IngressFound, SecretsResolved, SitesVisited
from rebirth.run.waiting import together, until

LAYER = "waits"
PATIENCE = 3600
WAITS_FOR = (Converged,)  # the graph brings the sites
WAITS = True
VERIFIES = True
ONLINE = 4
HINT = "See what serves it: its Ingress or HTTPRoute, its Service, its pods; or change what online.sites expects."


async def visit_sites(
    online: Sites, web: Web, secrets: SecretsResolved, ingress: IngressFound | None, awaited: AwaitedReady | None
) -> SitesVisited:
    """Visit the sites."""
    pages = await together(
        *(
            until(partial(_visit, site, web, secrets, ingress), what=f"{site.host} answers", every=0.5, slowest=3)
            for site in online.sites
        )
    )
    return SitesVisited({site.host: page.heading for site, page in zip(online.sites, pages, strict=True)})


async def found(online: Sites, web: Web, secrets: SecretsResolved, ingress: IngressFound | None) -> SitesVisited:
    pages = await together(*(_visit(site, web, secrets, ingress) for site in online.sites))
    return SitesVisited({site.host: page.heading for site, page in zip(online.sites, pages, strict=True)})


async def still(
    fact: SitesVisited, online: Sites, web: Web, secrets: SecretsResolved, ingress: IngressFound | None
) -> bool:
    await together(*(_visit(site, web, secrets, ingress) for site in online.sites))
    return True


async def _visit(site: Site, web: Web, secrets: SecretsResolved, ingress: IngressFound | None) -> Page:
    ca = secrets[site.ca] if site.ca else None
    address = str(site.address or (ingress.address if ingress else site.host))
    page = await web.visit(host=site.host, path=site.path, address=address, ca=ca)
    if page.status != site.status:
        raise NotYet(f"https://{site.host}{site.path} at {address}: HTTP {page.status}, expected {site.status}")
    if site.contains not in page.text:
        raise NotYet(
            f"https://{site.host}{site.path} at {address}: the page does not contain what online.sites expects"
        )
    return page
