"""Values of charts that are not rendered: what they give to pods in the words of Kubernetes itself, and what they name by the usual keys.

A chart passes `envFrom`, `valueFrom`, a volume's `secret` or `configMap` on to its pods as they are: that is what they need. `storageClass`,
`existingSecret` and the like name something, too, but what for is the chart's own affair: that is a remark. So does a text under any key that
speaks of Secrets or ConfigMaps, where a file beside the release would make one of that name, and nobody lists it. Read after all
makers are known, for a chart may well make what is called like its release.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rebirth.proof.charts import app_template, releases
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model, Unit, thing
from rebirth.proof.sources import external_secrets
from rebirth.proof.things import Atomicity, Milestone, Need, Thing

_Path = tuple[str | int, ...]
_NAMES: dict[str, tuple[str, Milestone]] = {
    "storageClass": ("StorageClass", Milestone.EXISTS),
    "storageClassName": ("StorageClass", Milestone.EXISTS),
    "ingressClassName": ("IngressClass", Milestone.EXISTS),
    "existingSecret": ("Secret", Milestone.MATERIALISED),
    "existingSecretName": ("Secret", Milestone.MATERIALISED),
    "secretName": ("Secret", Milestone.MATERIALISED),
    "existingConfigMap": ("ConfigMap", Milestone.MATERIALISED),
    "existingClaim": ("PersistentVolumeClaim", Milestone.EXISTS),
}
_UNSURE = frozenset({"secretName", "name"})  # keys under which charts name what they make themselves, too
_WORDS = {"Secret": "secret", "ConfigMap": "config"}
_REFERENCE = re.compile(r"(secret|configmap)(?:key)?ref", re.IGNORECASE)  # the end of a key
_SWITCHES = ("enabled", "create", "install")
# A pod's references, as Kubernetes writes them: field, kind, and where in it the name is.
_FORMS = (
    ("secretRef", "Secret", "name"),
    ("secretKeyRef", "Secret", "name"),
    ("configMapRef", "ConfigMap", "name"),
    ("configMapKeyRef", "ConfigMap", "name"),
    ("secret", "Secret", "secretName"),
    ("configMap", "ConfigMap", "name"),
)


class Named(NamedTuple):
    """Something that values name: where, and the key of it that is read."""

    of: Thing
    path: _Path
    key: str = ""
    key_path: _Path = ()


def read(model: Model, graph: Graph) -> None:
    for unit in model.units:
        own = unit.own
        if unit.atomicity is not Atomicity.HELM or own is None or _is_rendered(unit) or not releases.is_release(own):
            continue
        chart = releases.chart_of(model, own)
        if chart is None or not app_template.is_one(chart):
            _read(unit, own, _unlisted(model, own), graph)


def _is_rendered(unit: Unit) -> bool:
    """Whether its pods are the chart's own, and so have what the values give them."""
    found = [pods.of(member, unit) for member in unit.members]
    return unit.known and not any(releases.MADE_UP in one.labels for one in found if one)


def _unlisted(model: Model, own: Manifest) -> dict[tuple[str, str], str]:
    """Kind and name of what files beside the release would make, with the word by which keys speak of it."""
    beside = [one for one in model.orphans if Path(one.file).parent == Path(own.file).parent]
    made = {made[::2] for one in beside for made in external_secrets.makes(one)}
    return {one: word for one in made if (word := _WORDS.get(one[0]))}


def _read(unit: Unit, own: Manifest, unlisted: Mapping[tuple[str, str], str], graph: Graph) -> None:
    values = own.mapping("spec", "values")
    space = releases.target_namespace(own)
    given = list(_of_pods(values, ("spec", "values"), space))
    named = [
        *_by_key(values, ("spec", "values"), space),
        *_by_reference(values, ("spec", "values"), space),
        *(_by_name(values, ("spec", "values"), space, unlisted) if unlisted else ()),
    ]
    named = [one for one in named if one.of not in {two.of for two in given}]
    if not given and not named:
        return
    written = frozenset(_names(values))
    waits = own.at("spec", "install", "disableWait") is not True
    for one in (*given, *named):
        if one.of.name in written:
            continue
        unsure = _is_called_like(own, one.of, graph)
        if one in given and waits and not unsure:
            _needs(unit, own, one, graph)
            continue
        words = f"the values of {own.thing().label} name {one.of.label}"
        graph.wanted(one.of)
        graph.remark(
            "named-in-values", own.place(*one.path), words, one.of,
            namespace=own.namespace, release=own.name, sure="" if unsure or one.path[-1] in _UNSURE else "yes",
        )  # fmt: skip


def _needs(unit: Unit, own: Manifest, one: Named, graph: Graph) -> None:
    need = Need.SECRET if one.of.kind == "Secret" else Need.CONFIG
    graph.wanted(one.of)
    graph.needs(unit.ready, one.of, need, own.place(*one.path), "its values give it to pods")
    if one.key:
        graph.reads(unit.ready, one.of, one.key, own.place(*one.key_path))


def _is_called_like(own: Manifest, of: Thing, graph: Graph) -> bool:
    """Whether it is called like the release, and nobody else makes it: the chart may."""
    if graph.makers(of) or of in graph.starts:
        return False
    release = releases.release_name(own)
    return of.name == release or of.name.startswith(f"{release}-")


def _names(value: Any) -> Iterator[str]:
    """Names that may be those of objects which the values describe."""
    if isinstance(value, Mapping):
        meta = value.get("metadata")
        if isinstance(meta, Mapping) and isinstance(meta.get("name"), str):
            yield meta["name"]
        yield from (item for key, item in value.items() if str(key).endswith("Override") and isinstance(item, str))
        yield from (str(key) for key in value)  # entries by name: extraSecrets, configMaps
        for item in value.values():
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)
    elif isinstance(value, str) and "\n" in value:
        yield from (word for line in value.splitlines() for word in line.split())


def _plain(value: object) -> str:
    """A name as it stands; "" where a template or a variable makes it."""
    return value if isinstance(value, str) and value not in {"", "-"} and not {"{", "$", "<", " "} & set(value) else ""


def _is_off(value: Mapping[str, Any]) -> bool:
    return any(value.get(switch) is False for switch in _SWITCHES)


def _by_key(value: Any, path: _Path, space: str) -> Iterator[Named]:
    """What stands under the keys by which charts take names, wherever nothing above it is switched off, or optional."""
    if isinstance(value, Mapping):
        if _is_off(value) or value.get("optional") is True:
            return
        for key, item in value.items():
            if key in _NAMES and (name := _plain(item)):
                kind, milestone = _NAMES[key]
                yield Named(thing(kind, "" if kind.endswith("Class") else space, name, milestone), (*path, key))
            else:
                yield from _by_key(item, (*path, key), space)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _by_key(item, (*path, index), space)


def _by_reference(value: Any, path: _Path, space: str) -> Iterator[Named]:
    """What a name and a key beside it lead to, under `passwordSecretRef` and the like."""
    if isinstance(value, Mapping):
        if _is_off(value) or value.get("optional") is True:
            return
        found = _REFERENCE.search(str(path[-1]))
        if (
            found
            and found.end() == len(str(path[-1]))
            and {"name", "key"} == set(value)
            and (name := _plain(value["name"]))
        ):
            kind = "Secret" if found[1].lower() == "secret" else "ConfigMap"
            yield Named(thing(kind, space, name, Milestone.MATERIALISED), (*path, "name"))
            return
        for key, item in value.items():
            yield from _by_reference(item, (*path, str(key)), space)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _by_reference(item, (*path, index), space)


def _by_name(value: Any, path: _Path, space: str, unlisted: Mapping[tuple[str, str], str]) -> Iterator[Named]:
    if isinstance(value, Mapping):
        if not _is_off(value):
            for key, item in value.items():
                yield from _by_name(item, (*path, str(key)), space, unlisted)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _by_name(item, (*path, index), space, unlisted)
    elif isinstance(value, str):
        spoken = next((part.lower() for part in reversed(path) if isinstance(part, str)), "")
        for (kind, name), word in unlisted.items():
            if name == value and word in spoken:
                yield Named(thing(kind, space, name, Milestone.MATERIALISED), path)


def _of_pods(value: Any, path: _Path, space: str) -> Iterator[Named]:
    """Entries of `envFrom`, `valueFrom` and volumes, in Kubernetes' own form."""
    if isinstance(value, Mapping):
        if _is_off(value):
            return
        for field, kind, called in _FORMS:
            one = _reference(value.get(field), called, kind, (*path, field), space)
            if one and _is_kubernetes(value, field, path):
                yield one
        for key, item in value.items():
            yield from _of_pods(item, (*path, key), space)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _of_pods(item, (*path, index), space)


def _is_kubernetes(value: Mapping[str, Any], field: str, path: _Path) -> bool:
    """Whether a reference stands where Kubernetes has it: among sources, below `valueFrom`, or in a volume with a name."""
    if field.endswith("KeyRef"):
        return path[-1] == "valueFrom"
    in_list = isinstance(path[-1], int)
    if field.endswith("Ref"):
        return in_list and "from" in str(path[-2]).lower()
    return in_list and isinstance(value.get("name"), str)


def _reference(value: object, called: str, kind: str, path: _Path, space: str) -> Named | None:
    if not isinstance(value, Mapping) or value.get("optional") is True or not (name := _plain(value.get(called))):
        return None
    if not set(map(str, value)) <= {called, "key", "optional", "items", "defaultMode"}:
        return None
    key = value.get("key")
    of = thing(kind, space, name, Milestone.MATERIALISED)
    return Named(of, (*path, called), key if isinstance(key, str) else "", (*path, "key"))
