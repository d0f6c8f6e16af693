"""What kustomize has made, each object with the place that it was written at."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rebirth.proof.reading.kustomization import Folder
from rebirth.proof.reading.manifest import Manifest, is_encrypted
from rebirth.proof.reading.yaml_files import UnreadableError, parse
from rebirth.proof.things import Place, Remark

ORIGIN = "config.kubernetes.io/origin"
_GENERATORS = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}


_TWICE = re.compile(r"already registered id: (\w+)\.[^/]*/([\w-]+)")
_MERGING = re.compile(r"merging resources from '([^']+)'")


def added_twice(said: str, found: Folder, place: Place) -> Remark | None:
    """What kustomize says of an object that two entries bring, at the second of them, in whichever kustomization it is."""
    if not (again := _TWICE.search(said)):
        return None
    entry, listed = _MERGING.search(said), found.data.get("resources")
    if entry and isinstance(listed, list) and entry[1] in listed:
        place = place._replace(path=("resources", listed.index(entry[1])))
    seen = set()
    for manifest in found.manifests:
        if (manifest.kind, manifest.name) == (again[1], again[2]):
            if manifest.namespace in seen and manifest.listed.file:
                place = manifest.listed
                break
            seen.add(manifest.namespace)
    return Remark("added-twice", place, f"{again[1]} {again[2]} is there twice")


def placed(text: str, found: Folder) -> list[Manifest]:
    """The objects of `text`, which kustomize made of `found`."""
    by_file: dict[str, list[Manifest]] = {}
    for manifest in found.manifests:
        by_file.setdefault(manifest.file, []).append(manifest)
    made = []
    for document in parse(text):
        data = document.data
        if not isinstance(data, dict) or not isinstance(data.get("metadata"), dict) or is_encrypted(document):
            continue
        data, origin = _without_origin(data)
        made.append(_written(data, origin, found, by_file))
    return made


def _without_origin(data: dict[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    metadata = dict(data["metadata"])
    annotations = dict(metadata.pop("annotations", None) or {})
    said = annotations.pop(ORIGIN, "")
    if annotations:
        metadata["annotations"] = annotations
    try:
        documents = parse(said) if isinstance(said, str) else []
    except UnreadableError:
        documents = []
    origin = documents[0].data if documents and isinstance(documents[0].data, dict) else {}
    return {**data, "metadata": metadata}, origin


def _written(
    data: dict[str, Any], origin: Mapping[str, Any], found: Folder, by_file: Mapping[str, list[Manifest]]
) -> Manifest:
    name, kind = str(data["metadata"].get("name", "")), str(data.get("kind"))
    if configured := origin.get("configuredIn"):
        file = Path(os.path.normpath(found.path / str(configured)))
        return _generated(data, name, kind, file, found)
    file = Path(os.path.normpath(found.path / str(origin.get("path", ""))))
    there = by_file.get(str(file)) or found.manifests
    same = [manifest for manifest in there if manifest.kind == kind]
    # A name may have got a prefix or a suffix: the longest written name that it still holds.
    longest = sorted((m for m in same if m.name and m.name in name), key=lambda m: -len(m.name))
    source = next(iter([*(m for m in same if m.name == name), *longest, *same, *there[:1]]), None)
    if source is None:
        return Manifest(data, str(file) if file.is_file() else str(found.file or ""), 1)
    return Manifest(data, source.file, source.line, source.prefix, source.listed)


def _generated(data: dict[str, Any], name: str, kind: str, file: Path, found: Folder) -> Manifest:
    """Made by a generator: written in the kustomization."""
    kustomization, line = found.kustomizations.get(file, (found.data, found.line))
    key = _GENERATORS.get(kind, "generators")
    entries = kustomization.get(key)
    names = [
        (str(entry.get("name", "")), number)
        for number, entry in enumerate(entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping)
    ]
    longest = sorted((pair for pair in names if pair[0] and pair[0] in name), key=lambda pair: -len(pair[0]))
    prefix: tuple[str | int, ...] = (key, longest[0][1]) if longest else (key,)
    files = _files(entries[longest[0][1]], file.parent) if longest and isinstance(entries, list) else {}
    return Manifest(data, str(file), line, prefix, Place(str(file), line, prefix), files=files)


def _files(entry: Mapping[str, Any], folder: Path) -> dict[tuple[str | int, ...], str]:
    """Which values of a generated ConfigMap or Secret are files, by their path in the object."""
    listed = entry.get("files")
    found: dict[tuple[str | int, ...], str] = {}
    for item in listed if isinstance(listed, list) else ():
        key, _, path = str(item).rpartition("=")
        found["data", key or Path(path).name] = os.path.normpath(folder / path)
    return found
