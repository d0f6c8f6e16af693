"""Chart repositories on the web: an index of what is stored and what is on paper, and the archives."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rebirth.paper.charts import PaperChart
from rebirth.rehearse.outside.answers import host_of, refused
from rebirth.rehearse.outside.missing import Refusals
from rebirth.rehearse.outside.names import Askers, address
from rebirth.store.names import OCI
from rebirth.store.store import Store

_INDEX = "/index.yaml"
_MADE = "2026-01-01T00:00:00Z"  # the same index has the same digest


@dataclass
class _Repository:
    index: bytes
    packages: dict[str, Path | bytes]  # file name -> the archive


class ChartRepositories:
    """Those that a tree names, whether anything of them is there or not: an index that is empty is one."""

    def __init__(
        self, urls: Iterable[str], paper: Iterable[PaperChart], store: Store, refusals: Refusals, askers: Askers
    ) -> None:
        self._refusals, self._askers = refusals, askers
        on_paper = [chart for chart in paper if not chart.url.startswith(OCI)]
        named = {address(url): url for url in (*urls, *(chart.url for chart in on_paper)) if not url.startswith(OCI)}
        self._repositories = {
            place: _repository(url, [chart for chart in on_paper if address(chart.url) == place], store)
            for place, url in named.items()
        }

    async def answer(self, request: Request) -> Response | None:
        folder, _, name = request.url.path.rpartition("/")
        place = address(f"https://{host_of(request)}{folder}")
        found = self._repositories.get(place)
        if found is None:
            if request.url.path.endswith(_INDEX):
                return refused(self._refusals.add("chart repository", place, self._askers.of(place)))
            return None
        if f"/{name}" == _INDEX:
            return Response(found.index, media_type="application/yaml")
        package = found.packages.get(name)
        if package is None:
            return None
        data = package if isinstance(package, bytes) else package.read_bytes()
        return Response(data, media_type="application/gzip")


def _repository(url: str, paper: Iterable[PaperChart], store: Store) -> _Repository:
    entries: dict[str, list[dict[str, Any]]] = {}
    packages: dict[str, Path | bytes] = {}

    def add(metadata: dict[str, Any], name: str, version: str, digest: str, data: Path | bytes) -> None:
        file = f"{name}-{version}.tgz"
        packages[file] = data
        entry = {
            **metadata,
            "version": version,
            "urls": [file],
            "digest": digest.removeprefix("sha256:"),
            "created": _MADE,
        }
        entries.setdefault(name, []).append(entry)

    for chart in store.charts(url):
        add(dict(chart.metadata), chart.name, chart.version, chart.digest, chart.path)
    for one in paper:
        add(dict(one.metadata), one.name, one.version, one.digest, one.archive)
    # JSON is YAML, and quicker.
    index = json.dumps({"apiVersion": "v1", "entries": entries, "generated": _MADE}, default=str).encode()
    return _Repository(index, packages)
