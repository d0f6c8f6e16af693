"""Objects of Flux that its controllers refuse (source-controller 1.7, helm-controller 1.4, image-reflector-controller 1.0, read in their source)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rebirth.proof.charts import releases
from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.reading.yaml_files import UnreadableError, parse
from rebirth.proof.schemas.shape import is_open
from rebirth.proof.sources import meeting
from rebirth.proof.sources.meeting import Refusal
from rebirth.store.versions import Constraint

_IMAGE = "image.toolkit.fluxcd.io"
_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_REPOSITORY = re.compile(r"[a-z0-9_./-]+")
_WHY = "Flux refuses it: the object is never Ready, and nothing comes of it."


def read(model: Model, graph: Graph) -> None:
    looks = {
        (flux.HELM, "HelmRelease"): lambda one: [*_release(model, one), *_values(model, one, graph)],
        (flux.SOURCE, "GitRepository"): _git,
        (flux.SOURCE, "OCIRepository"): _artifact,
        (_IMAGE, "ImageRepository"): _image,
        (_IMAGE, "ImagePolicy"): _policy,
    }
    for member in meeting.applied_by_flux(model, *{kind for _, kind in looks}):
        if look := looks.get((member.group, member.kind)):
            meeting.refused(graph, member, look(member), _WHY)


def _release(model: Model, own: Manifest) -> Iterator[Refusal]:
    chart, reference = own.mapping("spec", "chart"), own.mapping("spec", "chartRef")
    if str(own.data.get("apiVersion", "")).endswith("/v2") and bool(chart) == bool(reference):
        both = "names a chart and a chartRef; one of them is taken" if chart else "names no chart, and no chartRef"
        yield Refusal(("spec", "chartRef") if chart else ("spec",), both)
    name = own.at("spec", "releaseName")
    if isinstance(name, str) and name and not is_open(name) and not _RELEASE.fullmatch(name):
        yield Refusal(("spec", "releaseName"), f"Helm takes no release called {name}")
    if str(own.at("spec", "chart", "spec", "sourceRef", "kind")) != "HelmRepository":
        return  # of a chart in a Git repository the version is not looked at
    yield from _range(own, ("spec", "chart", "spec", "version"))
    written = str(own.at("spec", "chart", "spec", "chart", default=""))
    found = releases.chart_of(model, own)
    if "/" in written and not is_open(written) and found and found.url.startswith(("http://", "https://")):
        yield Refusal(
            ("spec", "chart", "spec", "chart"), f"no chart of a Helm repository is called {written}: no name has a /"
        )


def _values(model: Model, own: Manifest, graph: Graph) -> Iterator[Refusal]:
    """A ConfigMap of this repository whose values are no YAML, or no mapping: told where they are written."""
    for entry in own.items("spec", "valuesFrom"):
        if not isinstance(entry, Mapping) or entry.get("kind") != "ConfigMap" or entry.get("targetPath"):
            continue
        key = str(entry.get("valuesKey") or "values.yaml")
        for member, _ in model.find("ConfigMap", own.namespace, str(entry.get("name"))):
            text = member.mapping("data").get(key)
            if isinstance(text, str) and not is_open(text) and (words := _no_values(text)):
                words = f"{words}, and {own.thing().label} takes its values from it"
                meeting.refused(graph, member, [Refusal(("data", key), f"{key} {words}")], _WHY)
    yield from ()


def _no_values(text: str) -> str:
    try:
        found: Any = next((document.data for document in parse(text)), None)
    except UnreadableError:
        return "is no YAML"
    return "" if found is None or isinstance(found, Mapping) else "holds no mapping"


def _git(own: Manifest) -> Iterator[Refusal]:
    yield from _range(own, ("spec", "ref", "semver"))
    url = own.at("spec", "url")
    if not isinstance(url, str) or is_open(url) or not url.startswith("ssh://"):
        return
    try:
        _ = urlsplit(url).port
    except ValueError:
        yield Refusal(("spec", "url"), f"{url} is no URL: write a / before the path, where scp has a :")
    if not own.mapping("spec", "secretRef"):
        yield Refusal(("spec", "url"), "is fetched over SSH, and names no secretRef with a key")


def _artifact(own: Manifest) -> Iterator[Refusal]:
    yield from _range(own, ("spec", "ref", "semver"))
    url = own.at("spec", "url")
    if isinstance(url, str) and not is_open(url) and url.startswith("oci://"):
        path = url.removeprefix("oci://").partition("/")[2]
        if path and not _REPOSITORY.fullmatch(path):
            hint = "a tag or digest stands below ref" if {":", "@"} & set(path) else "it has small letters alone"
            yield Refusal(("spec", "url"), f"{url} is no repository: {hint}")


def _image(own: Manifest) -> Iterator[Refusal]:
    image = own.at("spec", "image")
    if not isinstance(image, str) or is_open(image):
        return
    if "://" in image:
        yield Refusal(("spec", "image"), f"{image} begins with the scheme of a URL")
    elif ":" in image.partition("/")[2] and "@" not in image:
        yield Refusal(("spec", "image"), f"{image} has a tag: an ImagePolicy chooses that")


def _policy(own: Manifest) -> Iterator[Refusal]:
    yield from _range(own, ("spec", "policy", "semver", "range"))


def _range(own: Manifest, path: tuple[str, ...]) -> Iterator[Refusal]:
    written = own.at(*path)
    if not isinstance(written, str) or is_open(written) or not written.strip():
        return
    try:
        Constraint(written)
    except ValueError:
        yield Refusal(path, f"{'.'.join(path)} {written} is no version, and no range of versions")
