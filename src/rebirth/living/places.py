"""Where the root of a failure is written: the object in the repository, and the field that the API server named."""

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rebirth.diagnosis.cause import Cause
from rebirth.diagnosis.wanted import Key
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import NOWHERE, Place

_Path = tuple[str | int, ...]
# What kustomize-controller says of an object that the API server refuses: Kind/namespace/name dry-run failed ...
_REFUSED = re.compile(
    r"(?P<kind>[A-Za-z]\w+)/(?:(?P<namespace>[\w.-]+)/)?(?P<name>[\w.:-]+) (?:dry-run|apply|not found|namespace)"
)
# What the API server says of a field: spec.replicas: Invalid value ..., or .spec.replicas: expected ..., "spec.foo"
_FIELD = re.compile(r"(?<![\w.])\.?((?:[a-z]\w*)(?:\.\w+|\[\d+\]|\[\w+=[^\]]+\]|\[\"?[\w./-]+\"?\])+)")
_PART = re.compile(r"\.?(\w+)|\[(\d+)\]|\[(\w+=[^\]]+)\]|\[\"?([\w./-]+)\"?\]")
_KEY = re.compile(r"(\w+)=\"?([^\",]+)\"?")  # of an entry of a list
_KIND = re.compile(r"no matches for kind \"(\w+)\" in version|invalid object type: \S+, Kind=(\w+)")
_VARIABLE = re.compile(r"variable not set \(strict mode\): \"(\w+)\"")
_IMAGE = re.compile(r"image (\S+) cannot be pulled")
# What the kubelet and the Helm controller say of a Secret or ConfigMap that a pod or release names, and of a key in it.
_NAMED = (
    re.compile(r"(?P<kind>configmap|secret) \"(?P<name>[\w.-]+)\" not found"),
    re.compile(r"find key (?P<key>[\w.-]+) in (?P<kind>ConfigMap|Secret) [\w-]+/(?P<name>[\w.-]+)"),
    re.compile(r"(?P<kind>ConfigMap|Secret) chart values reference '[\w-]+/(?P<name>[\w.-]+)'"),
)
_KINDS = {"configmap": "ConfigMap", "secret": "Secret"}
# What the proof sees of a path that kustomize cannot build; it knows the line.
_BUILD = (
    "missing-path", "path-outside", "missing-file", "bad-entry", "kustomize-cycle", "not-an-object", "not-a-kustomization", "unreadable",
    "duplicate-key", "added-twice", "build-error",
)  # fmt: skip
_QUANTITY = re.compile(r"[+-]?[0-9.]+([eE][-+]?[0-9]+|[numkKMGTPE]|[KMGTPE]i)?")
_AMOUNTS = {"requests", "limits", "capacity", "hard"}


def place_of(
    cause: Cause, held: list[Key], model: Model, graph: Graph, served: Collection[tuple[str, str]] = ()
) -> Place:
    """The most exact place that is known; NOWHERE where nothing in the repository says it.

    `served` are the apiVersions and kinds that the API server has.
    """
    for named in (*_refused(cause.message), cause.key):
        if found := _found(named, model):
            build = _unset(found, cause.message, graph) or _unbuilt(found, cause.message, graph, model)
            unknown = _unknown_kind(found, cause.message, served)
            return build or unknown or _named(found, cause.message, graph) or field_of(found, cause.message)
    if used := _user(cause.key, graph):
        return used
    for node in held:
        if found := _found(node, model):
            chart = cause.key[0] == "HelmChart" and found.kind == "HelmRelease"
            return _of_chart(found, cause.message) if chart else found.place("metadata", "name")
    return NOWHERE


def _of_chart(release: Manifest, message: str) -> Place:
    """Where the release names its chart, or the version of it."""
    path = ("spec", "chart", "spec")
    versioned = re.search(r"version|constraint", message) and release.at(*path, "version") is not None
    return release.place(*path, "version" if versioned else "chart")


def _refused(message: str) -> Iterator[Key]:
    for match in _REFUSED.finditer(message):
        yield match["kind"], match["namespace"] or "", match["name"]


def _found(key: Key, model: Model) -> Manifest | None:
    kind, namespace, name = key
    for space in dict.fromkeys((namespace, "")):
        if found := model.find(kind, space, name):
            return found[0][0]
    return None


def _unset(own: Manifest, message: str, graph: Graph) -> Place | None:
    """Where a variable stands that has no value."""
    if found := _VARIABLE.search(message):
        for remark in graph.marked("undefined-variable"):
            if remark["unit"] == own.thing().label and found[1] in remark["names"].split():
                return remark.place
    return None


def _unbuilt(own: Manifest, message: str, graph: Graph, model: Model) -> Place | None:
    """Where the files of a Kustomization keep kustomize from building it."""
    if own.kind != "Kustomization" or not re.search(r"\b(build failed|path not found)\b", message):
        return None
    folder = str(model.root / str(own.at("spec", "path") or ""))
    for remark in graph.marked(*_BUILD):
        if (remark.about and remark.about.label == own.thing().label) or remark.place.file.startswith(f"{folder}/"):
            return remark.place
    return own.place("spec", "path")


def _unknown_kind(manifest: Manifest, message: str, served: Collection[tuple[str, str]]) -> Place | None:
    """The kind, or the apiVersion where only that is wrong."""
    found = _KIND.search(message)
    if found is None or manifest.kind not in found.groups():
        return None
    return manifest.place("apiVersion" if any(kind == manifest.kind for _, kind in served) else "kind")


def _named(manifest: Manifest, message: str, graph: Graph) -> Place | None:
    """Where the object names a Secret or ConfigMap that is not there, or a key that it does not have."""
    for pattern in _NAMED:
        if match := pattern.search(message):
            wanted = (_KINDS.get(match["kind"], match["kind"]), manifest.namespace, match["name"])
            key = match.groupdict().get("key")
            for reading in graph.readings:
                of = (reading.of.kind, reading.of.namespace, reading.of.name)
                if of == wanted and reading.by.label == manifest.thing().label and key in {None, reading.key}:
                    return reading.place
            return _user(wanted, graph)
    return None


def field_of(manifest: Manifest, message: str) -> Place:
    """The line of the field that the message names, else of the value that it means, else of the object."""
    for match in _FIELD.finditer(message.replace("template.labels", "template.metadata.labels")):
        path = _path(manifest, match[1])
        for end in range(len(path), 0, -1):
            if manifest.at(*path[:end]) is not None:
                return manifest.place(*path[:end])
    return manifest.place(*(_meant(manifest, message) or ("metadata", "name")))


def _path(manifest: Manifest, field: str) -> _Path:
    """A path as the API server writes it: entries of lists are named by number or, in some lists, by a key of theirs."""
    path: list[str | int] = []
    for word, number, keys, other in _PART.findall(field):
        if keys:
            entries, wanted = manifest.items(*path), _KEY.findall(keys)
            found = (at for at, one in enumerate(entries) if isinstance(one, Mapping) and _is_named(one, wanted))
            path.append(next(found, len(entries)))
        else:
            path.append(int(number) if number else word or other)
    return tuple(path)


def _is_named(entry: Mapping[str, Any], keys: list[tuple[str, str]]) -> bool:
    """Whether it has all these keys; one that it does not say is a default."""
    return all(str(entry.get(key, value)) == value for key, value in keys)


def _meant(manifest: Manifest, message: str) -> _Path | None:
    """The value that is meant, where the API server says only what is wrong with it."""
    if "illegal base64" in message:
        encoded = manifest.mapping("data").items()
        return next((("data", key) for key, value in encoded if not _is_base64(value)), None)
    if "quantities must match" in message:
        return next(_wrong_amounts(manifest.data, ()), None)
    if image := _IMAGE.search(message):
        return next(_of_image(manifest.data, image[1], ()), None)
    if "oci" in message and manifest.kind == "HelmRepository":
        return "spec", "url"
    return None


def _of_image(value: Any, image: str, path: _Path) -> Iterator[_Path]:
    """Where the object names that image."""
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        if key == "image" and item == image:
            yield (*path, key)
        yield from _of_image(item, image, (*path, key))


def _is_base64(value: object) -> bool:
    try:
        base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _wrong_amounts(value: Any, path: _Path) -> Iterator[_Path]:
    """Amounts (of storage, memory, CPU) that are not written as Kubernetes reads them."""
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        if isinstance(item, str) and path and path[-1] in _AMOUNTS and not _QUANTITY.fullmatch(item):
            yield (*path, key)
        yield from _wrong_amounts(item, (*path, key))


def _user(key: Key, graph: Graph) -> Place | None:
    """Where somebody names what does not exist."""
    for thing, edges in graph.needed_by().items():
        if (thing.kind, thing.namespace, thing.name) == key:
            for edge in edges:
                if edge.place.file:
                    return edge.place
    return None
