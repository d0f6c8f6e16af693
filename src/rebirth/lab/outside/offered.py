"""From where a lab has charts and images: what it makes itself, and what was fetched."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rebirth.lab.building.charts import Chart, Package
from rebirth.store.names import OCI, name_of, repository_of, url_of
from rebirth.store.store import Store
from rebirth.store.versions import newest


@dataclass(frozen=True)
class Offered:
    """`charts` and `images` are the lab's own."""

    charts: Sequence[Chart]
    images: Collection[str]
    store: Store

    def chart(self, url: str, name: str, version: str) -> Path | None:
        """As the store's: a chart's place where there is one, of the lab's or fetched."""
        return self._own(url, name, version) or self.store.chart(url, name, version)

    def git(self, url: str) -> Path | None:
        return self.store.git(url)

    def image(self, reference: str) -> bool:
        return str(name_of(reference)) in self.images or self.store.has_image(reference)

    def _own(self, url: str, name: str, version: str) -> Path | None:
        found = {}
        for chart in self.charts:
            of, meta, _ = chart.packed()
            if of.startswith(f"{meta['name']}-") and _is_at(chart, str(meta["name"]), url, name):
                found[str(meta["version"])] = chart.folder
        try:
            chosen = newest(found, version)
        except ValueError:
            return None
        return found[chosen] if chosen else None


def _is_at(chart: Chart, own: str, url: str, name: str) -> bool:
    place = f"{chart.host}{chart.path.rstrip('/')}"
    if chart.in_a_registry:
        return url.startswith(OCI) and f"{place}/{own}" == repository_of(f"{url}/{name}" if name else url)
    return name == own and url_of(url) == f"https://{place}"


def packages(offered: Offered, urls: Collection[str]) -> Iterator[Package]:
    """What the chart repositories serve: the lab's own, then what was fetched from these URLs and is not among them."""
    served = set()
    for chart in offered.charts:
        if not chart.in_a_registry:
            package = Package.of(chart)
            served.add((package.host, package.path, package.name))
            yield package
    for url in urls:
        if not url.startswith(OCI):
            host, path = place_of(url)
            for stored in offered.store.charts(url):
                if (host, path, (stored.name, stored.version)) not in served:
                    meta = {**stored.metadata, "name": stored.name, "version": stored.version}
                    yield Package(host, path, meta, stored.path.read_bytes())


def place_of(url: str) -> tuple[str, str]:
    """Host and path of a chart repository."""
    parts = urlsplit(url_of(url))
    return parts.hostname or "", parts.path
