"""Releases that a helmfile of the repository installs before Flux is there, or a kustomization with `helmCharts` that somebody applies:
the usual first step of a home cluster.

With a castle nothing of that is run, so nothing of that is taken as there.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rebirth.proof.charts import early_values, releases
from rebirth.proof.charts.early_values import Early
from rebirth.proof.charts.knowledge import crd
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Installed, Manifest, Model, thing
from rebirth.proof.reading.scopes import kind_of
from rebirth.proof.reading.start.helmfiles import UNKNOWN, documents, in_templates
from rebirth.proof.things import Place

WHY = "rebirth/why"  # an annotation: why it is there before Flux
ONLY_CRDS = "rebirth/only-crds"  # an annotation: only the CRDs of the chart are applied


class Release(NamedTuple):
    name: str
    namespace: str
    chart: str
    version: str
    values: Early
    place: Place
    why: str  # it is taken as there
    only_crds: bool
    makes_namespace: bool  # as helmfile does by default


def find(model: Model) -> list[Release]:
    """What the helmfiles install that are run before Flux."""
    return [
        release for file, (why, only) in model.helmfiles.items() for release in _releases(file, why, only_crds=only)
    ]


def given(model: Model, graph: Graph) -> None:
    """Releases of Flux that a helmfile has installed when Flux comes: they are adopted. A template that goes through a list of its
    own has names and namespaces there.
    """
    installed = find(model)
    scripts = [_of_script(model, one) for one in model.installed]
    for release in (*installed, *scripts):
        if release.makes_namespace and UNKNOWN not in release.namespace:
            graph.assumed(thing("Namespace", "", release.namespace), release.why, release.place)
    first = {(one.namespace, one.name): one for one in scripts}
    first |= {(one.namespace, one.name): one for one in sorted(installed, key=lambda one: not one.only_crds)}
    listed = [(one, in_templates(Path(one.place.file))) for one in installed if UNKNOWN in one.name]
    for unit in model.units:
        own = unit.own
        if own is None or not releases.is_release(own):
            continue
        named = (releases.target_namespace(own), releases.release_name(own))
        if found := first.get(named) or next((one for one, texts in listed if texts.issuperset(named)), None):
            if found.makes_namespace:
                graph.assumed(thing("Namespace", "", named[0]), found.why, found.place)
            kinds = [crd(*kind_of(member)) for member in unit.members if member.kind == "CustomResourceDefinition"]
            for true in kinds if found.only_crds else (releases.started(own), unit.applied, unit.ready):
                graph.assumed(true, found.why, found.place)


def _of_script(model: Model, one: Installed) -> Release:
    why = f"it is installed with Helm before Flux, says {Path(one.place.file).relative_to(model.root)}:{one.place.line}"
    return Release(
        one.name,
        one.namespace,
        "",
        "",
        Early({}, whole=False, places={}),
        one.place,
        why,
        only_crds=False,
        makes_namespace=one.makes_namespace,
    )


def missing(model: Model) -> Iterator[Manifest]:
    """Releases of helmfiles that Flux has none of: as objects that say chart and values, like those of phases."""
    have = {
        (releases.target_namespace(member), releases.release_name(member)) for member, _ in model.objects("HelmRelease")
    }
    for own in installed(model):
        if own.annotations.get(ONLY_CRDS) or (own.namespace, own.name) not in have:
            yield own


def installed(model: Model) -> Iterator[Manifest]:
    """Every release that is installed before Flux, as such an object; not of a chart that a template names."""
    for release in find(model):
        if not release.chart or "{{" in release.chart or UNKNOWN in f"{release.chart} {release.name}":
            continue
        url, _, name = release.chart.rpartition("/")
        spec: dict[str, Any] = {"chart": {"spec": {"chart": name, "version": release.version}}, "url": url}
        spec["values"] = release.values.data
        if not release.values.whole:
            spec["valuesFrom"] = [{"kind": "file"}]  # one that cannot be read
        marks = {WHY: release.why, **({ONLY_CRDS: "true"} if release.only_crds else {})}
        metadata = {"name": release.name, "namespace": release.namespace, "annotations": marks}
        yield Manifest(
            {"kind": "Helm release", "metadata": metadata, "spec": spec},
            release.place.file, release.place.line, release.place.path,
            written={("spec", "chart", "spec", "chart"): (*release.place.path, "chart")},
            files={("spec", "values", *key): place for key, place in release.values.places.items()},
        )  # fmt: skip


def _releases(file: Path, why: str, *, only_crds: bool) -> Iterator[Release]:
    for document in documents(file):
        data = document.data if isinstance(document.data, Mapping) else {}
        defaults = data.get("helmDefaults")
        creates = not (isinstance(defaults, Mapping) and defaults.get("createNamespace") is False)
        for index, entry in _entries(data.get("releases")):
            if entry.get("installed") is not False:
                yield Release(
                    str(entry["name"]), str(entry.get("namespace") or "default"), str(entry.get("chart") or ""),
                    str(entry.get("version") or ""), early_values.of_release(file, entry),
                    Place(str(file), document.line, ("releases", index)), why, only_crds,
                    not only_crds and entry.get("createNamespace", creates) is not False,
                )  # fmt: skip
        for index, entry in _entries(data.get("helmCharts")):
            chart = f"{str(entry.get('repo') or '').rstrip('/')}/{entry['name']}"
            yield Release(
                str(entry.get("releaseName") or entry["name"]), str(entry.get("namespace") or "default"), chart,
                str(entry.get("version") or ""), early_values.of_kustomization(file, entry),
                Place(str(file), document.line, ("helmCharts", index)), why, only_crds=only_crds, makes_namespace=False,
            )  # fmt: skip


def _entries(value: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, Mapping) and entry.get("name"):
            yield index, entry
