"""Charts that stand in for those that nobody has fetched: they make what the proof knows of each release, and nothing else.

One archive holds what all releases of a chart make, each guarded by the release's name and namespace; a chart of which nothing
is known makes one ConfigMap that says so.
"""

import gzip
import hashlib
import io
import json
import posixpath
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rebirth.paper.completed import Completion
from rebirth.paper.definitions import Versions, versions_used
from rebirth.paper.versions import LOWEST, fitting
from rebirth.paper.written import is_template
from rebirth.proof.charts import app_template, knowledge, releases
from rebirth.proof.charts import files as chart_files
from rebirth.proof.charts.releases import ChartSource
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model, Unit
from rebirth.proof.things import Atomicity
from rebirth.store.names import OCI, repository_of, tag_of, url_of
from rebirth.store.versions import Version

_NEWEST = "latest"  # the tag that an OCIRepository without a reference has
NOTHING = "nothing is known of it"
_EMPTY = b"{}\n"
_RENDERED = "the chart in helm's cache"


class Stored(Protocol):
    """Of the store: what is asked for here."""

    def chart(self, url: str, name: str, version: str) -> Path | None: ...
    def git(self, url: str) -> Path | None: ...


@dataclass(frozen=True)
class StandIn:
    """One release that gets a chart on paper."""

    release: str  # such as HelmRelease cert-manager/cert-manager
    chart: str
    url: str
    version: str
    made_from: str  # such as "knowledge of cert-manager"
    whole: bool = False  # whether it makes all that the chart would


@dataclass(frozen=True)
class PaperChart:
    """One version of a chart, where its users look for it."""

    url: str  # an HTTP repository's; oci:// and the name of the chart's own repository; a Git repository's
    name: str
    version: str
    tags: frozenset[str]  # in a registry
    archive: bytes  # .tgz
    path: str = ""  # in a Git repository

    @property
    def metadata(self) -> Mapping[str, Any]:
        return _metadata(self.name, self.version)

    @property
    def digest(self) -> str:
        """Of the archive, without the name of the algorithm."""
        return hashlib.sha256(self.archive).hexdigest()


@dataclass(frozen=True)
class _Wanted:
    """What one release asks for."""

    unit: Unit
    own: Manifest
    chart: ChartSource
    url: str
    version: str
    tag: str
    stored: bool
    path: str = ""


def paper_charts(
    model: Model, store: Stored, authority: str, *, phases: bool = False
) -> tuple[list[PaperChart], list[StandIn]]:
    """The charts of the model's releases that are not in the store, and which release is on paper for that.

    `authority`: the PEM of whoever signs certificates of webhooks. `phases`: of the releases that a castle's phases install, too.
    """
    wanted: defaultdict[tuple[str, str, str], list[_Wanted]] = defaultdict(list)
    for one in _wanted(model, store, phases=phases):
        wanted[one.url, one.chart.name, one.path].append(one)
    used = versions_used(model)
    charts, stand_ins = [], []
    for (url, name, path), users in wanted.items():
        missing = [one for one in users if not one.stored]
        content = _content(users, used, authority) if missing else {}
        for version in dict.fromkeys(one.version for one in missing):
            tags = frozenset(one.tag for one in missing if one.version == version)
            charts.append(PaperChart(url, name, version, tags, _packed(name, version, content), path))
        stand_ins += [_stand_in(model, one) for one in missing]
    return charts, stand_ins


def _stand_in(model: Model, one: _Wanted) -> StandIn:
    made_from = _made_from(model, one)
    return StandIn(one.own.thing().label, one.chart.name, one.url, one.version, made_from, whole=made_from == _RENDERED)


def _wanted(model: Model, store: Stored, *, phases: bool) -> Iterator[_Wanted]:
    for unit in model.units:
        own = unit.own
        if unit.atomicity is not Atomicity.HELM or own is None:
            continue
        if not (phases if unit.phase else releases.is_release(own)):
            continue
        chart = releases.chart_of(model, own)
        if chart is None or not chart.url:
            continue
        if chart.path:
            yield from _in_git(model, unit, own, chart, store)
        elif chart.source is not None and chart.source.kind == "OCIRepository":
            yield _referenced(model, unit, own, chart, store)
        else:
            version = fitting(chart.version)
            stored = store.chart(chart.url, chart.name, chart.version) is not None
            whole = f"{chart.url.rstrip('/')}/{chart.name}"
            url = f"{OCI}{repository_of(whole)}" if chart.url.startswith(OCI) else url_of(chart.url)
            yield _Wanted(unit, own, chart, url, version, tag_of(version), stored)


def _in_git(model: Model, unit: Unit, own: Manifest, chart: ChartSource, store: Stored) -> Iterator[_Wanted]:
    """One that lies in another repository, of which nothing but charts is asked for: what else it holds is not known."""
    source = chart.source
    if (
        source is None
        or source.kind != "GitRepository"
        or (source.kind, source.namespace, source.name) == model.own_source
    ):
        return
    applied = {flux.source_of(member) for member, _ in model.objects("Kustomization") if flux.is_kustomization(member)}
    if (source.kind, source.namespace, source.name) not in applied:
        stored, path = store.git(chart.url) is not None, posixpath.normpath(chart.path)
        yield _Wanted(unit, own, chart, chart.url, LOWEST, "", stored, path)


def _referenced(model: Model, unit: Unit, own: Manifest, chart: ChartSource, store: Stored) -> _Wanted:
    """By a chartRef: the source object says tag, range or digest of the chart's own repository."""
    kind, namespace, name = (
        (chart.source.kind, chart.source.namespace, chart.source.name) if chart.source else ("",) * 3
    )
    source = next((member for member, _ in model.find(kind, namespace, name)), own)
    digest, semver, tag = (str(source.at("spec", "ref", key) or "") for key in ("digest", "semver", "tag"))
    tag = tag_of(fitting(semver)) if semver else tag or _NEWEST
    version = tag if Version.parse(tag) else LOWEST
    stored = store.chart(chart.url, "", digest or semver or tag) is not None
    return _Wanted(unit, own, chart, f"{OCI}{repository_of(chart.url)}", version, tag, stored)


def _made_from(model: Model, one: _Wanted) -> str:
    if not one.unit.members:
        return NOTHING
    if chart_files.find(model, one.chart):
        return _RENDERED
    if operator := knowledge.of_chart(one.chart.name, one.chart.url):
        return f"knowledge of {operator.title}"
    return "app-template's values" if app_template.is_one(one.chart) else NOTHING


# -- what is in an archive


def _content(users: Iterable[_Wanted], used: Versions, authority: str) -> dict[str, bytes]:
    """The files of the archive below the chart's folder, without Chart.yaml."""
    files: dict[str, bytes] = {"values.yaml": _EMPTY}
    for one in users:
        namespace, release = releases.target_namespace(one.own), releases.release_name(one.own)
        completion = Completion(release, used, authority)
        templates: list[Mapping[str, Any]] = []
        for member in one.unit.members:
            if is_template(member.name):
                continue
            item = completion.of(member.data)
            if releases.FOLDER in member.annotations:
                files.setdefault(f"crds/{member.name}.yaml", _text([item]))
            else:
                templates.append(item)
        files |= dict.fromkeys(_values_files(one), _EMPTY)
        objects = f"objects/{namespace}/{release}.yaml"
        files[objects] = _text(templates or [_note(one)])
        guard = f'and (eq .Release.Name "{release}") (eq .Release.Namespace "{namespace}")'
        # What Files.Get gives is not a template: texts may hold what they like.
        template = f'{{{{ if {guard} }}}}{{{{ .Files.Get "{objects}" }}}}{{{{ end }}}}\n'
        files[f"templates/{namespace}-{release}.yaml"] = template.encode()
    return files


def _values_files(one: _Wanted) -> Iterator[str]:
    """Files of values that the release takes out of the chart: of one in Git they are named from the repository's top."""
    for named in one.own.items("spec", "chart", "spec", "valuesFiles"):
        path = posixpath.relpath(posixpath.normpath(f"/{named}"), f"/{one.path}")
        if not path.startswith("../"):
            yield path


def _note(one: _Wanted) -> Mapping[str, Any]:
    name = f"{releases.release_name(one.own)}-on-paper"
    words = f"The chart {one.chart.name} was not fetched, and nothing is known of what it makes."
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"note": words}}


def _text(items: Iterable[Mapping[str, Any]]) -> bytes:
    """JSON is YAML, and quicker."""
    return "".join(f"---\n{json.dumps(item, default=str)}\n" for item in items).encode()


def _metadata(name: str, version: str) -> Mapping[str, Any]:
    description = "A stand-in of a rehearsal: the chart was not fetched"
    return {"apiVersion": "v2", "name": name, "version": version, "description": description, "type": "application"}


def _packed(name: str, version: str, files: Mapping[str, bytes]) -> bytes:
    written = {"Chart.yaml": json.dumps(_metadata(name, version)).encode(), **files}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, data in written.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    # No time in it: the same releases give the same digest.
    return gzip.compress(packed.getvalue(), compresslevel=1, mtime=0)
