"""Fills the lab's registry: the images that it packs, sites, what was fetched, and charts, real ones and those on paper."""

from collections.abc import Callable, Sequence
from pathlib import Path

from rebirth.lab.building.charts import Chart
from rebirth.lab.building.images import Image, ImageStore
from rebirth.lab.building.sites import build_site
from rebirth.lab.outside.found import Found
from rebirth.lab.spec import SiteImage
from rebirth.store.names import name_of
from rebirth.store.store import Store

_SERVER = "/usr/local/bin/webserver"


def fill(
    registry: ImageStore, images: Sequence[Image], charts: Sequence[Chart], found: Found, tell: Callable[[str], None]
) -> None:
    """Those `charts` whose host is a registry. What the lab makes itself comes last: it is what runs under its name."""
    for name in found.stored:
        registry.add_stored(Store(), name)
    for paper in found.charts:
        for tag in paper.tags:
            registry.add_chart(name_of(paper.url.partition("://")[2]).path, tag, paper.metadata, paper.archive)
    for number, image in enumerate(images, 1):
        tell(f"packing images: {number} of {len(images)}, {image.reference}")
        registry.add(image)
    for chart in charts:
        if chart.in_a_registry:
            _, meta, package = chart.packed()
            registry.add_chart(f"{chart.path.strip('/')}/{meta['name']}".lstrip("/"), meta["version"], meta, package)


def site_image(site: SiteImage, source: Path, pages: Path) -> Image:
    """The image of a site, whose pages are built from the folder `source` into `pages`."""
    place = pages / site.reference.replace("/", "-").replace(":", "-")
    build_site(source / site.hugo, place)
    return Image(site.reference, {"/site": str(place), _SERVER: "binary:webserver"}, (_SERVER,), "65532:65532")
