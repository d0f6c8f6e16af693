"""What a tree uses of the world outside, as the proof has read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rebirth.fetch.remote import thing_of
from rebirth.fetch.things import AnyThing, Artifact, Chart, Git, Image, Login
from rebirth.proof.charts import app_template, releases
from rebirth.proof.prove import Proof
from rebirth.proof.reading import flux, pods
from rebirth.proof.reading.artifacts import address
from rebirth.proof.reading.manifest import Manifest, Model, Unit
from rebirth.proof.things import Atomicity
from rebirth.store.charts import LAYERS
from rebirth.store.names import OCI, name_of, repository_of

_VARIABLE = "${"


@dataclass(frozen=True)
class Wanted:
    things: tuple[AnyThing, ...]  # each once, in the order in which the tree says them; images last
    unrendered: int  # releases whose chart could not be rendered: their images are not known

    @property
    def sources(self) -> list[AnyThing]:
        return [thing for thing in self.things if not isinstance(thing, Image)]

    @property
    def images(self) -> list[Image]:
        return [thing for thing in self.things if isinstance(thing, Image)]


def wanted(proof: Proof) -> Wanted:
    """All that is fetched from elsewhere: not the repository itself, and nothing whose address is not known."""
    found: dict[AnyThing, None] = {}
    for world in proof.worlds:
        for thing in (*_charts(world.model), *_sources(world.model), *_remote(world.model)):
            found.setdefault(thing)
    for world in proof.worlds:
        for image in _images(world.model):
            found.setdefault(image)
    return Wanted(tuple(found), sum(_unrendered(world.model) for world in proof.worlds))


def _known(*values: str) -> bool:
    return all(_VARIABLE not in value for value in values)


def _charts(model: Model) -> Iterator[Chart]:
    for _, own in _releases(model):
        chart = releases.chart_of(model, own)
        if chart and chart.name and chart.url and not chart.path and not _is_artifact(chart):
            yield from _chart(model, chart, own)
    for own, _ in model.objects("HelmChart"):
        repository = _named(model, own.mapping("spec", "sourceRef"), own.namespace)
        name, version = str(own.at("spec", "chart") or ""), str(own.at("spec", "version") or "")
        if own.group == flux.SOURCE and name and repository is not None and repository.kind == "HelmRepository":
            url = str(repository.at("spec", "url") or "")
            if url and _known(url, name, version):
                place = own.place("spec", "chart")
                yield Chart(url, name, version, place=place, login=_login(repository), insecure=_insecure(repository))


def _is_artifact(chart: releases.ChartSource) -> bool:
    return chart.source is not None and chart.source.kind == "OCIRepository"


def _chart(model: Model, chart: releases.ChartSource, own: Manifest) -> Iterator[Chart]:
    if not _known(chart.url, chart.name, chart.version):
        return
    repository: Manifest | None = None
    if chart.source is not None:
        repository = next((m for m, _ in model.find(*chart.source[:3])), None)
    if repository is not None and repository.kind == "HelmChart":
        repository = _named(model, repository.mapping("spec", "sourceRef"), repository.namespace)
    login, insecure = (_login(repository), _insecure(repository)) if repository else (None, False)
    yield Chart(chart.url, chart.name, chart.version, place=chart.place, login=login, insecure=insecure)


def _named(model: Model, reference: Any, namespace: str) -> Manifest | None:
    key = (str(reference.get("kind")), str(reference.get("namespace") or namespace), str(reference.get("name")))
    return next((member for member, _ in model.find(*key)), None)


def _login(source: Manifest) -> Login | None:
    name = source.at("spec", "secretRef", "name")
    return Login(source.namespace, name) if isinstance(name, str) and name else None


def _insecure(source: Manifest) -> bool:
    return source.at("spec", "insecure") is True


def _sources(model: Model) -> Iterator[Artifact | Git]:
    ours = _own_addresses(model)
    for source, _ in model.objects("OCIRepository", "GitRepository"):
        url = str(source.at("spec", "url") or "")
        key = (source.kind, source.namespace, source.name)
        if source.group != flux.SOURCE or not url or not _known(url) or key == model.own_source or address(url) in ours:
            continue
        yield _artifact(source, url) if source.kind == "OCIRepository" else _git(source, url)


def _own_addresses(model: Model) -> set[str]:
    """Of the repository that is looked at."""
    found = {address(m.at("spec", "url", default="")) for m, _ in model.find(*model.own_source)}
    return (found | ({address(model.castle.gitops.repository)} if model.castle else set())) - {""}


def _artifact(source: Manifest, url: str) -> Artifact:
    said = source.mapping("spec", "ref")
    digest, semver, tag = (str(said.get(key) or "") for key in ("digest", "semver", "tag"))
    return Artifact(
        repository_of(url.removeprefix(OCI)),
        digest,
        "" if digest else semver,
        "" if digest or semver else tag,
        str(said.get("semverFilter") or ""),
        source.at("spec", "layerSelector", "mediaType") in LAYERS,
        place=source.place("spec", "url"),
        login=_login(source),
        insecure=_insecure(source),
    )


def _git(source: Manifest, url: str) -> Git:
    said = source.mapping("spec", "ref")
    commit, name, semver, tag, branch = (
        str(said.get(key) or "") for key in ("commit", "name", "semver", "tag", "branch")
    )
    if not any((commit, name, semver, tag, branch)):
        branch = "master"  # what source-controller takes where nothing is said
    return Git(url, commit, name, semver, tag, branch, place=source.place("spec", "url"), login=_login(source))


def _remote(model: Model) -> Iterator[AnyThing]:
    for entry, place in model.remote.items():
        if _known(entry) and (found := thing_of(entry, place)):
            yield found


def _images(model: Model) -> Iterator[Image]:
    for found in pods.every(model):
        if not _is_real(model, found):
            continue
        for part, index, container in found.containers():
            reference = container.get("image")
            if isinstance(reference, str) and _is_name(reference):
                yield Image(name_of(reference), place=found.place(part, index, "image"))
        for index, volume in found.volumes():
            source = volume.get("image")
            reference = source.get("reference") if isinstance(source, dict) else None
            if isinstance(reference, str) and _is_name(reference):
                yield Image(name_of(reference), place=found.place("volumes", index, "image", "reference"))


def _is_name(reference: str) -> bool:
    return bool(reference.strip(":")) and not reference.endswith(":") and _known(reference) and " " not in reference


def _is_real(model: Model, found: pods.Pods) -> bool:
    """Whether they are what the tree says: pods that stand for those of a known chart have a name of an image at most."""
    if releases.MADE_UP not in found.labels or found.unit.own is None:
        return True
    chart = releases.chart_of(model, found.unit.own)
    return chart is not None and app_template.is_one(chart)


def _unrendered(model: Model) -> int:
    made_up = {id(found.unit) for found in pods.every(model) if not _is_real(model, found)}
    return sum(not unit.known or id(unit) in made_up for unit, _ in _releases(model))


def _releases(model: Model) -> Iterator[tuple[Unit, Manifest]]:
    """Of Flux, and those that a castle's phases install."""
    for unit in model.units:
        if unit.atomicity is Atomicity.HELM and unit.own is not None:
            yield unit, unit.own
