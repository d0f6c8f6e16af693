"""Releases that a helmfile in the repository installs before Flux is there: the usual first step of a home cluster.

With a castle nothing of that is run, so nothing of that is taken as there.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rebirth.proof.charts import releases
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.reading.yaml_files import Document, UnreadableError, parse, read, text_of
from rebirth.proof.things import Place

_MOST = 200  # files
_ALONE = re.compile(r"\n\s*\{\{(?:[^}]|\}(?!\}))*\}\}[ \t]*(?=\n)")  # a template that has lines for itself
_TEMPLATE = re.compile(r"\{\{(?:[^}]|\}(?!\}))*\}\}")
_UNKNOWN = "templated"
_LEFT_OUT = {"node_modules", "templates", "charts"}


class Release(NamedTuple):
    name: str
    namespace: str
    chart: str
    version: str
    values: Mapping[str, Any]
    place: Place


def find(root: Path) -> list[Release]:
    """What the helmfiles below a folder install."""
    return [release for file in _files(root) for release in _releases(file)]


def given(model: Model, graph: Graph) -> None:
    """Releases of Flux that a helmfile has installed when Flux comes: they are adopted."""
    if model.castle:
        return
    first = {(release.namespace, release.name): release for release in find(model.root)}
    for unit in model.units:
        own = unit.own
        if own is None or not releases.is_release(own):
            continue
        if found := first.get((releases.target_namespace(own), releases.release_name(own))):
            for true in (releases.started(own), unit.applied, unit.ready):
                graph.given(true, "a helmfile of this repository installs it before Flux", found.place)


def missing(model: Model) -> Iterator[Manifest]:
    """Releases of helmfiles that Flux has none of: as objects that say chart and values, like those of phases."""
    have = {
        (releases.target_namespace(member), releases.release_name(member)) for member, _ in model.objects("HelmRelease")
    }
    for release in find(model.root):
        if (
            (release.namespace, release.name) in have
            or not release.chart
            or "{{" in release.chart
            or _UNKNOWN in release.chart
        ):
            continue
        url, _, name = release.chart.rpartition("/")
        spec = {"chart": {"spec": {"chart": name, "version": release.version}}, "url": url, "values": release.values}
        metadata = {"name": release.name, "namespace": release.namespace}
        yield Manifest(
            {"kind": "Helm release", "metadata": metadata, "spec": spec},
            release.place.file, release.place.line, release.place.path,
            written={("spec", "chart", "spec", "chart"): (*release.place.path, "chart")},
        )  # fmt: skip


def _files(root: Path) -> Iterator[Path]:
    count = 0
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in _LEFT_OUT)
        beside = "helmfile" in Path(folder).name
        for name in sorted(names):
            if (beside or name.startswith("helmfile")) and re.search(r"\.ya?ml(\.gotmpl)?$", name):
                count += 1
                if count <= _MOST:
                    yield Path(folder) / name


def _documents(file: Path) -> list[Document]:
    """The documents of a helmfile; what stands in templates is not known, what stands beside them is."""
    try:
        return read(file)
    except UnreadableError:
        pass
    try:
        return parse(_TEMPLATE.sub(_UNKNOWN, _ALONE.sub("\n", text_of(file))))
    except UnreadableError:
        return []  # a template through and through: what it installs cannot be told


def _releases(file: Path) -> Iterator[Release]:
    for document in _documents(file):
        entries = document.data.get("releases") if isinstance(document.data, Mapping) else None
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, Mapping) and entry.get("name") and entry.get("installed") is not False:
                values = [one for one in entry.get("values") or () if isinstance(one, Mapping)]
                merged = {key: value for one in values for key, value in one.items()}
                yield Release(
                    str(entry["name"]), str(entry.get("namespace") or "default"), str(entry.get("chart") or ""),
                    str(entry.get("version") or ""), merged, Place(str(file), document.line, ("releases", index)),
                )  # fmt: skip
