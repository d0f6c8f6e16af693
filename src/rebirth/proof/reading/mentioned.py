"""Fields of a kustomization other than resources that name files, and what is built where such a file is not there."""

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
