"""Fields of a kustomization other than resources: those that name files, what is built where such a file is not there, and what
kustomize cannot read at all (Kustomization.EnforceFields in its api/types), or rejects only since it reads strictly.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.yaml_files import UnreadableError

# Fields that name files: the file itself, or under which key of an entry.
_PATHS = (
    ("patches", "path"), ("patchesJson6902", "path"), ("replacements", "path"),
    ("patchesStrategicMerge", ""), ("configurations", ""), ("crds", ""), ("transformers", ""), ("generators", ""), ("validators", ""),
    ("configMapGenerator", "files"), ("configMapGenerator", "envs"), ("secretGenerator", "files"), ("secretGenerator", "envs"),
)  # fmt: skip
_GENERATORS = ("configMapGenerator", "secretGenerator")
Where = tuple[str | int, ...]  # the path to a value of the kustomization
_VERSIONS = {"Kustomization": "kustomize.config.k8s.io/v1beta1", "Component": "kustomize.config.k8s.io/v1alpha1"}
# Lists of mappings, each with the fields that say what an entry is of.
_OF_MAPPINGS = {
    "patches": "`path` or `patch`", "patchesJson6902": "`target` and `path`", "replacements": "`source` or `path`", "configMapGenerator": "`name`",
    "secretGenerator": "`name`", "images": "`name`", "replicas": "`name`", "labels": "`pairs`", "vars": "`name`",
}  # fmt: skip
# What a file of `configurations` may have (kustomize's api 0.21, builtinconfig): lists of fields, by what looks at them.
_OF_FIELD = {"group", "version", "kind", "path", "create"}
_OF_TARGET = {"group", "version", "kind", "fieldspecs"}
_REFERENCES = "namereference"
_LISTS = {
    "nameprefix", "namesuffix", "namespace", "commonlabels", "labels", "templatelabels", "commonannotations", _REFERENCES,
    "varreference", "images", "replicas",
}  # fmt: skip


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def mentioned(data: Mapping[str, Any]) -> Iterator[tuple[str, Where]]:
    """Paths in fields other than resources, with where they stand."""
    for key, inner in _PATHS:
        for index, entry in enumerate(as_list(data.get(key))):
            if not inner and isinstance(entry, str) and "\n" not in entry:
                yield entry, (key, index)
            elif inner == "path" and isinstance(entry, Mapping) and isinstance(entry.get("path"), str):
                yield entry["path"], (key, index, "path")
            elif isinstance(entry, Mapping):
                for number, item in enumerate(as_list(entry.get(inner))):
                    if isinstance(item, str):
                        yield item.partition("=")[2] or item, (key, index, inner, number)


def unreadable(data: Mapping[str, Any]) -> Iterator[tuple[str, Where]]:
    """What kustomize cannot read: a kind or version that it does not have, an entry that is no mapping. Words, and where that stands."""
    kind, version = data.get("kind") or "Kustomization", data.get("apiVersion")
    if not isinstance(kind, str) or kind not in _VERSIONS:
        yield f"kustomize knows no kind {kind}: it is Kustomization", ("kind",)
    elif version and version != _VERSIONS[kind]:
        yield f"kustomize knows no {kind} of {version}: it is {_VERSIONS[kind]}", ("apiVersion",)
    for key, fields in _OF_MAPPINGS.items():
        for index, entry in enumerate(as_list(data.get(key))):
            if not isinstance(entry, Mapping):
                yield f"an entry of `{key}` is a mapping with {fields}", (key, index)


def without(data: Mapping[str, Any], where: Where) -> dict[str, Any]:
    """The kustomization without a value of it, as the rest is built."""
    key = str(where[0])
    left = [entry for index, entry in enumerate(as_list(data.get(key))) if (key, index) != where]
    return {name: left if name == key else value for name, value in data.items() if name != key or left}


def fill(data: Mapping[str, Any], missing: Sequence[Where]) -> dict[str, Any]:
    """The generators that name files which are not there, as they make the same keys without them: so the rest is built."""
    found = {}
    for key in _GENERATORS:
        gone = [where for where in missing if where[0] == key and where[2] == "files"]
        if gone:
            found[key] = [
                _filled(entry, {where[3] for where in gone if where[1] == index})
                for index, entry in enumerate(data[key])
            ]
    return found


def _filled(entry: Any, missing: set[str | int]) -> Any:
    """The entry of a generator with empty values instead of those files."""
    if not missing:
        return entry
    files = [*enumerate(entry["files"])]
    named = [
        str(file).partition("=")[0] if "=" in str(file) else str(file).rpartition("/")[2]
        for at, file in files
        if at in missing
    ]
    literals = [*as_list(entry.get("literals")), *(f"{key}=" for key in named)]
    return {**entry, "files": [file for at, file in files if at not in missing], "literals": literals}


def is_kustomization(files: Files, file: Path) -> bool:
    """Whether a file of that name is kustomize's own; Flux's Kustomizations may be in one, too."""
    try:
        data = next((document.data for document in files.documents(file)), None)
    except UnreadableError:
        return False
    return isinstance(data, dict) and str(data.get("apiVersion", "")).startswith("kustomize.config.k8s.io/")


def understood(data: Any) -> tuple[Any, list[Where]]:
    """A file of `configurations` without the fields that it cannot have, and where those stand. Case does not matter, as to kustomize."""
    return _understood(data, _LISTS, ())


def _understood(data: Any, known: set[str], at: Where) -> tuple[Any, list[Where]]:
    if not isinstance(data, Mapping):
        return data, []
    kept, unknown = {}, []
    for key, value in data.items():
        name = str(key).lower()
        if name not in known:
            unknown.append((*at, str(key)))
            continue
        inner = _OF_TARGET if name == _REFERENCES else _OF_FIELD
        parts = [_understood(entry, inner, (*at, str(key), number)) for number, entry in enumerate(as_list(value))]
        kept[key] = [part for part, _ in parts] if isinstance(value, list) else value
        unknown += [where for _, found in parts for where in found]
    return kept, unknown
