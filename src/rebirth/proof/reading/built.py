"""What kustomize has made, each object with the place that it was written at."""

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rebirth.proof.reading.batches import GENERATORS, Batch, WithOrigin, Written, batches, halves, identity
from rebirth.proof.reading.kustomization import NAMES, Folder
from rebirth.proof.reading.kustomize import BuildFailed, Kustomize
from rebirth.proof.reading.manifest import Manifest, is_encrypted
from rebirth.proof.reading.mentioned import as_list
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.scopes import in_namespace
from rebirth.proof.reading.yaml_files import UnreadableError, parse
from rebirth.proof.things import Place, Remark
from rebirth.run.waiting import together

ORIGIN = "config.kubernetes.io/origin"
_AT_ONCE = 4  # builds that run side by side
_ENTRIES = ("resources", "bases")


_TWICE = re.compile(r"already registered id: (\w+)\.[^/]*/([\w-]+)")
_UNMET = re.compile(r'no resource matches strategic merge patch "([^./"]+)\.[^/"]*/([^"]+)\.[^."]+"')  # kind, name
_UNAPPLIED = re.compile(r'operation does not apply: [^"]*"(/[^"]+)"')  # the path in a JSON patch
_FIELD = re.compile(r'json: unknown field "([^"]+)"')
_ONE = re.compile(r"makes one of two objects: (\w+) (\S+)")
_MERGING = re.compile(r"merging resources from '([^']+)'")


def rejected(said: str, found: Folder, own: Manifest | None, place: Place) -> Remark:
    """What kustomize says, at the line to edit."""
    about = own.thing() if own else None
    if unmet := _UNMET.search(said):
        place = _patch_of(unmet[1], unmet[2], found, own) or place
    if one := _ONE.search(said):
        place = _renaming(one[2], found) or place
    if field := _FIELD.search(said.replace('\\"', '"')):
        place = _field_at(field[1], found) or place
    if unapplied := _UNAPPLIED.search(said.replace('\\"', '"')):
        place = _operation_at(unapplied[1], found) or place
    return _added_twice(said, found, place) or Remark("build-error", place, said, about)


def _patch_of(kind: str, name: str, found: Folder, own: Manifest | None) -> Place | None:
    """The patch of that object, in a kustomization or in the Kustomization that Flux adds its own patches from."""
    for number, entry in enumerate(own.items("spec", "patches") if own else ()):
        if isinstance(entry, Mapping) and _is_of(str(entry.get("patch", "")), kind, name):
            return own.place("spec", "patches", number) if own else None
    for file, (data, line) in found.kustomizations.items():
        for key, inner in (("patches", "path"), ("patches", "patch"), ("patchesStrategicMerge", "")):
            for number, entry in enumerate(as_list(data.get(key))):
                said = entry.get(inner) if inner and isinstance(entry, Mapping) else entry
                if isinstance(said, str) and _is_of(said if "\n" in said else _text(file.parent / said), kind, name):
                    return Place(str(file), line, (key, number, inner) if inner else (key, number))
    return None


def _renaming(namespace: str, found: Folder) -> Place | None:
    """The kustomization that puts all into that namespace: what else it calls a Namespace gets that name, too."""
    there = (
        Place(str(file), line, ("namespace",))
        for file, (data, line) in found.kustomizations.items()
        if data.get("namespace") == namespace
    )
    return next(there, None)


def _field_at(name: str, found: Folder) -> Place | None:
    """The kustomization that has such a field, at its top or in an entry of a list."""
    for file, (data, line) in found.kustomizations.items():
        if name in data:
            return Place(str(file), line, (name,))
        for key, entries in data.items():
            for number, entry in enumerate(as_list(entries)):
                if isinstance(entry, Mapping) and name in entry:
                    return Place(str(file), line, (key, number, name))
    return None


def _operation_at(path: str, found: Folder) -> Place | None:
    """The JSON patch with an operation at that path, where it is the only one."""
    there = []
    for file, (data, line) in found.kustomizations.items():
        for key in ("patches", "patchesJson6902"):
            for number, entry in enumerate(as_list(data.get(key))):
                if not isinstance(entry, Mapping):
                    continue
                inner = "patch" if entry.get("patch") else "path"
                said = str(entry.get(inner, ""))
                if re.search(rf"{re.escape(path)}(?![\w/~-])", said if inner == "patch" else _text(file.parent / said)):
                    there.append(Place(str(file), line, (key, number, inner)))
    return there[0] if len(there) == 1 else None


def _is_of(patch: str, kind: str, name: str) -> bool:
    named = rf"\bname:\s*[\"']?{re.escape(name)}[\"']?\s*([,}}\n]|$)"
    return bool(re.search(rf"^kind:\s*[\"']?{kind}\b", patch, re.MULTILINE) and re.search(named, patch))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return ""


def _added_twice(said: str, found: Folder, place: Place) -> Remark | None:
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
                # A file that Flux collects by itself is listed nowhere.
                place = manifest.listed if manifest.listed.path else manifest.place("metadata", "name")
                break
            seen.add(manifest.namespace)
    return Remark("added-twice", place, f"{again[1]} {again[2]} is there twice")


class Builds:
    """What kustomize makes of folders, or made of the same contents before."""

    def __init__(self, files: Files, kustomize: Kustomize) -> None:
        self._files, self._kustomize = files, kustomize
        self._limit = asyncio.Semaphore(_AT_ONCE)

    async def ahead(self, asked: Iterable[tuple[Folder, Written]]) -> None:
        """Builds together what can be; what cannot, or is rejected so, is built alone when it is asked for."""
        new = [one for one in asked if (key := self._key(*one)) and self._files.kept.value(key) is None]
        await together(*map(self._together, batches(new)))

    async def _together(self, batch: Batch) -> None:
        root = self._files.root
        top, written = batch.listing(root)
        reads = {file for found, _ in batch.folders for file in found.files}
        try:
            async with self._limit:
                text = await self._kustomize.build(folder=top, root=root, reads=reads, written=written)
        except BuildFailed as error:
            if error.status is not None:  # else it took too long, and each half may, too
                await together(*map(self._together, halves(batch)))
            return
        for one, made in zip(batch.folders, batch.apart(with_origins(text), root) or (), strict=False):
            if key := self._key(*one):
                self._files.kept.keep(key, made, len(text) // len(batch.folders))

    async def of(self, found: Folder, written: Written) -> list[WithOrigin]:
        """Raises BuildFailed."""
        key = self._key(found, written)
        made: list[WithOrigin] | None = self._files.kept.value(key) if key else None
        if made is None:
            async with self._limit:
                text = await self._kustomize.build(
                    folder=found.path, root=self._files.root, reads=found.files, written=written
                )
            made = with_origins(text)
            if key:
                self._files.kept.keep(key, made, len(text))
        return made

    async def parts(self, found: Folder, written: Written) -> tuple[list[Manifest], list[Manifest]]:
        """Of a folder that kustomize rejects: what it makes of each entry alone, with all that is done to it there, and the objects, as
        they are written, of which it makes nothing so.
        """
        top = found.file or found.path / NAMES[0]
        made = placed(await self._parts(found, written, top), found)
        space = str(written[top].get("namespace") or "")
        kept = {(one.file, one.line, one.prefix) for one in made}
        each = {identity(one): one for one in reversed(made)}
        lost = [one for one in found.manifests if (one.file, one.line, one.prefix) not in kept]
        lost = [in_namespace(one, space) if space else one for one in lost]
        return [*reversed(each.values())], [one for one in lost if identity(one) not in each]

    async def _parts(self, found: Folder, written: Written, at: Path) -> list[WithOrigin]:
        """Of the kustomization in file `at`, which cannot be built with all its entries."""
        data = written.get(at) or found.kustomizations[at][0]
        rest = {key: value for key, value in data.items() if key not in _ENTRIES}
        entries = [entry for key in _ENTRIES for entry in as_list(data.get(key)) if isinstance(entry, str)]
        alone = [{**written, at: {**rest, "resources": [entry]}} for entry in entries]
        done = await together(*(self._part(found, one) for one in alone)) if len(entries) > 1 else [None] * len(entries)
        if len(entries) > 1 and all(part is None for part in done):
            return []  # what is wrong is done to every entry
        made: list[WithOrigin] = []
        for entry, one, part in zip(entries, alone, done, strict=True):
            inner = (Path(os.path.normpath(at.parent / entry / name)) for name in NAMES)
            below = next((file for file in inner if file in found.kustomizations), None)
            made += part or (await self._parts(found, one, below) if part is None and below else [])
        return made

    async def _part(self, found: Folder, written: Written) -> list[WithOrigin] | None:
        try:
            return await self.of(found, written)
        except BuildFailed:
            return None

    def _key(self, found: Folder, written: Written) -> bytes | None:
        """What the build depends on; None where a file of it cannot be read here."""
        root = self._files.root
        digest = hashlib.sha256(f"build {self._kustomize.program} {found.path.relative_to(root)}".encode())
        try:
            for file in sorted(found.files - written.keys()):
                digest.update(f"\0{file.relative_to(root)}\0".encode() + self._files.digest(file))
        except UnreadableError:
            return None
        for file, data in written.items():
            digest.update(f"\0{file.relative_to(root)}\0{json.dumps(data, default=str)}".encode())
        return digest.digest()


def with_origins(text: str) -> list[WithOrigin]:
    """The objects of what kustomize has made, each with what it says of the object's origin."""
    return [
        _without_origin(document.data)
        for document in parse(text)
        if isinstance(document.data, dict)
        and isinstance(document.data.get("metadata"), dict)
        and not is_encrypted(document)
    ]


def placed(made: Iterable[WithOrigin], found: Folder) -> list[Manifest]:
    """The objects that kustomize made of `found`, each where it was written."""
    by_file: dict[str, list[Manifest]] = {}
    for manifest in found.manifests:
        by_file.setdefault(manifest.file, []).append(manifest)
    return [_written(data, origin, found, by_file) for data, origin in made]


def _without_origin(data: dict[str, Any]) -> WithOrigin:
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
    key = GENERATORS.get(kind, "generators")
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


def _files(entry: Mapping[str, Any], folder: Path) -> dict[tuple[str | int, ...], Place]:
    """Which values of a generated ConfigMap or Secret are files, by their path in the object."""
    listed = entry.get("files")
    found: dict[tuple[str | int, ...], Place] = {}
    for item in listed if isinstance(listed, list) else ():
        key, _, path = str(item).rpartition("=")
        found["data", key or Path(path).name] = Place(os.path.normpath(folder / path), 1)
    return found
