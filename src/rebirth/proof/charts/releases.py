"""Helm releases as Flux reads them: which chart, from where, with which values, to which namespace."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.reading.yaml_files import UnreadableError, parse
from rebirth.proof.things import Milestone, Place, Thing

FOLDER = "rebirth/chart-crds"  # an annotation: the object stands in the chart's crds/ folder
OPERATOR = "rebirth/operator"  # an annotation of pods: they are that operator
MADE_UP = "rebirth/workload"  # a label of pods that stand for those of a chart which is not rendered
NOT_NAMED = (
    "rebirth/not-named"  # an annotation: a name that the values suggest for it, and that the chart does not give it
)
SWITCH = "rebirth/switch"  # an annotation of a custom resource in a chart: the value that switches it on
LEFT_OUT = "rebirth/left-out"  # another: the chart leaves it out where its kind is not known
_LONGEST = 53  # characters of a release's name
_HASHED = 12  # of which are a hash


@dataclass(frozen=True, slots=True)
class ChartSource:
    """What a release installs. `url` is empty where the source is not in the repository."""

    name: str
    version: str
    url: str
    source: Thing | None  # the Flux source that it is fetched from
    place: Place
    path: str = ""  # of a chart that lies in a Git repository or a bucket


def is_release(manifest: Manifest) -> bool:
    return manifest.kind == "HelmRelease" and manifest.group == flux.HELM


def started(own: Manifest) -> Thing:
    return own.thing(Milestone.STARTED)


def attempts(model: Model, own: Manifest) -> int | None:
    """How often Flux tries to install; None: without end.

    None but the first, if nobody says otherwise (helm-controller 1.6, reconcile/atomic_release.go); the strategy RetryOnFailure is
    there since 1.4, and can be made the default by a feature gate since 1.5.2.
    """
    strategy = own.at("spec", "install", "strategy", "name")
    if strategy == "RetryOnFailure" or (strategy is None and flux.is_told(model, "DefaultToRetryOnFailure=true")):
        return None
    retries = own.at("spec", "install", "remediation", "retries", default=0)
    if not isinstance(retries, int) or retries < 0:
        return None
    return retries + 1


def target_namespace(own: Manifest) -> str:
    return str(own.at("spec", "targetNamespace") or own.namespace)


def release_name(own: Manifest) -> str:
    """The name that charts see: a longer one ends in a hash of itself, as helm-controller shortens it (release.ShortenName)."""
    named = own.at("spec", "releaseName")
    prefix = own.at("spec", "targetNamespace")
    name = str(named or (f"{prefix}-{own.name}" if prefix else own.name))
    if len(name) <= _LONGEST:
        return name
    hashed = sha256(name.encode()).hexdigest()[:_HASHED]
    return f"{name[: _LONGEST - _HASHED - 1]}-{hashed}"


def chart_of(model: Model, own: Manifest) -> ChartSource | None:
    """The chart of a release; None where its object does not say any."""
    if own.mapping("spec", "chartRef"):
        return _referenced(model, own)
    chart = own.mapping("spec", "chart", "spec")
    name = str(chart.get("chart") or "")
    if not name:
        return None
    place = own.place("spec", "chart", "spec", "chart")
    reference = own.mapping("spec", "chart", "spec", "sourceRef")
    if not reference:  # a phase's release names its repository itself
        return ChartSource(name, str(chart.get("version") or ""), str(own.at("spec", "url") or ""), None, place)
    return _fetched(model, own.namespace, chart, reference, place)


def _fetched(
    model: Model, namespace: str, chart: Mapping[str, Any], reference: Mapping[str, Any], place: Place
) -> ChartSource:
    kind, name = str(reference.get("kind") or ""), str(reference.get("name") or "")
    space = str(reference.get("namespace") or namespace)
    found = next((m for m, _ in model.find(kind, space, name)), None)
    url = str(found.at("spec", "url", default="")) if found else ""
    source = thing(kind, space, name, Milestone.READY)
    written = str(chart.get("chart"))
    if kind == "HelmRepository":
        return ChartSource(written, str(chart.get("version") or ""), url, source, place)
    # An OCIRepository Flux does not take here, but what is meant is plain.
    version = str((_tag(found) if found else "") or chart.get("version") or "") if kind == "OCIRepository" else ""
    return ChartSource(written.rstrip("/").rpartition("/")[2], version, url, source, place, path=written)


def _referenced(model: Model, own: Manifest) -> ChartSource | None:
    reference = own.mapping("spec", "chartRef")
    kind, name = str(reference.get("kind") or ""), str(reference.get("name") or "")
    space = str(reference.get("namespace") or own.namespace)
    place = own.place("spec", "chartRef", "name")
    source = thing(kind, space, name, Milestone.READY)
    found = next((member for member, _ in model.find(kind, space, name)), None)
    if found is None:
        return ChartSource("", "", "", source, place)
    if kind == "HelmChart":
        inner = _fetched(model, space, found.mapping("spec"), found.mapping("spec", "sourceRef"), place)
        return ChartSource(inner.name, inner.version, inner.url, source, place, inner.path)
    url = str(found.at("spec", "url", default=""))
    return ChartSource(url.rstrip("/").rpartition("/")[2], _tag(found), url, source, place)


def _tag(artifact: Manifest) -> str:
    return str(artifact.at("spec", "ref", "tag") or artifact.at("spec", "ref", "semver") or "")


def reference_of(artifact: Manifest) -> str:
    """What an OCIRepository takes of its repository: a digest, a range of versions, or a tag; the first of them wins."""
    found = artifact.mapping("spec", "ref")
    return str(found.get("digest") or found.get("semver") or found.get("tag") or "latest")


@dataclass(frozen=True, slots=True)
class Values:
    data: Mapping[str, Any]
    whole: bool  # whether these are all: those of a Secret that is not in the files are not known


def values_of(model: Model, own: Manifest) -> Values:
    """What a release sets: from ConfigMaps and Secrets of the repository, then its own values above them, as helm-controller
    merges them (fluxcd/pkg chartutil/values.go).
    """
    found: dict[str, Any] = {}
    whole = True
    for entry in own.items("spec", "valuesFrom"):
        if not isinstance(entry, Mapping):
            continue
        text = _text(model, own.namespace, entry)
        path = str(entry.get("targetPath") or "")
        read = (
            None if text is None else set_at(path, text, literal=entry.get("literal") is True) if path else _read(text)
        )
        if read is None:
            whole = False
        else:
            found = merged(found, read)
    return Values(merged(found, own.mapping("spec", "values")), whole)


def _text(model: Model, namespace: str, entry: Mapping[str, Any]) -> str | None:
    """What stands under the key; None where files do not tell."""
    kind, key = str(entry.get("kind")), str(entry.get("valuesKey") or "values.yaml")
    if kind not in {"ConfigMap", "Secret"}:
        return None
    for member, _ in model.find(kind, namespace, str(entry.get("name"))):
        text = member.mapping("stringData").get(key) if kind == "Secret" else None
        if text is None and isinstance(text := member.mapping("data").get(key), str) and kind == "Secret":
            try:
                text = b64decode(text, validate=True).decode()
            except ValueError:
                return None
        if isinstance(text, str):
            return None if text.startswith("ENC[") or (kind == "Secret" and "${" in text) else text
    return None


def _read(text: str) -> Mapping[str, Any] | None:
    try:
        data: Any = next((document.data for document in parse(text)), {})
    except UnreadableError:
        return None
    return data if isinstance(data, Mapping) else None


def set_at(path: str, text: str, *, literal: bool) -> Mapping[str, Any] | None:
    """One value at its path, as `helm --set` reads it; None where path or value are written in a way of their own."""
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    if set("[]\\,=") & set(path) or (not literal and set(",{}\\") & set(text)):
        return None
    value: Any = text if literal else text.strip("'\"") if quoted else _typed(text)
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)


def _typed(text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if re.fullmatch(r"0|-?[1-9]\d*", text) else text


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings key by key, anything else replaced: as Helm merges values."""
    found = dict(under)
    for key, value in over.items():
        old = found.get(key)
        found[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return found


_HOOK = "helm.sh/hook"


def hooks(member: Manifest) -> frozenset[str]:
    """When a member of a chart is applied by itself: post-install, for instance."""
    written = str(member.annotations.get(_HOOK) or "")
    return frozenset(word.strip() for word in written.split(",") if word.strip())
