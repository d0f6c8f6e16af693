"""Reads a folder as kustomize would: which files it takes, which it misses, and, where nothing has to be transformed, what
comes out. What needs transformers is built by kustomize itself (`providers.kustomize`); where that cannot be, because a
base is missing or remote, what is there is read as it lies, so that the rest is still checked.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebirth.graph import Place, Remark
from rebirth.sources.manifest import Manifest
from rebirth.sources.yaml_files import Document, UnreadableError, read

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# Fields that change nothing in the resources themselves.
_INERT = {"apiVersion", "kind", "resources", "metadata", "sortOptions", "openapi", "buildMetadata"}
_REMOTE = re.compile(r"^(https?|git|ssh|oci|s3|file)(::|://)|^git@|^github\.com/|^[\w.-]+\.[a-z]+/.*(\?|//)")
_CLUSTER_SCOPED = {
    "Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "StorageClass", "IngressClass", "PriorityClass",
    "PersistentVolume", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService", "ClusterIssuer",
    "ClusterSecretStore", "GatewayClass", "RuntimeClass", "CSIDriver", "VolumeSnapshotClass", "ClusterPolicy", "Node",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ClusterExternalSecret",
}  # fmt: skip


@dataclass
class Folder:
    """A kustomization and all that it takes in."""

    path: Path
    manifests: list[Manifest] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)  # every file that it reads, kustomizations included
    remarks: list[Remark] = field(default_factory=list)
    plain: bool = True  # `manifests` are exactly what kustomize makes
    whole: bool = True  # nothing is missing or remote: kustomize can build it
    remote: list[tuple[str, Place]] = field(default_factory=list)


class Files:
    """The documents of a repository's files, each read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[Path, list[Document] | UnreadableError] = {}

    def documents(self, file: Path) -> list[Document]:
        """Raises UnreadableError."""
        if file not in self._read:
            try:
                self._read[file] = read(file)
            except UnreadableError as error:
                self._read[file] = error
        found = self._read[file]
        if isinstance(found, UnreadableError):
            raise found
        return found

    def yaml_files(self) -> Iterator[Path]:
        """Every YAML file below the root, in order; hidden folders are left out."""
        for file in sorted(self.root.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(self.root).parts)
            if file.suffix in {".yaml", ".yml"} and not hidden and file.is_file():
                yield file


def folder(files: Files, path: Path) -> Folder:
    """What the kustomization in `path` takes in. A folder without one gets Flux' generated one: all its manifests."""
    found = Folder(path)
    _walk(files, path, found, (), Place(""))
    return found


def kustomization_of(path: Path) -> Path | None:
    return next((path / name for name in NAMES if (path / name).is_file()), None)


def _walk(files: Files, path: Path, into: Folder, above: tuple[Path, ...], named: Place) -> None:
    if path in above:
        chain = " -> ".join(str(p.relative_to(files.root)) for p in (*above[above.index(path) :], path))
        into.remarks.append(Remark("kustomize-cycle", named, f"kustomizations take each other in: {chain}"))
        into.whole = False
        return
    file = kustomization_of(path)
    if file is None:
        _generated(files, path, into)
        return
    into.files.add(file)
    try:
        documents = files.documents(file)
    except UnreadableError as error:
        _unreadable(into, file, error)
        return
    data = documents[0].data if documents else {}
    if not isinstance(data, dict):
        into.remarks.append(Remark("not-a-kustomization", Place(str(file), 1), "is no kustomization"))
        into.whole = False
        return
    line = documents[0].line if documents else 1
    if set(data) - _INERT or data.get("kind") == "Component":
        into.plain = False
    before = len(into.manifests)
    for key in ("resources", "bases", "components"):
        for index, entry in enumerate(data.get(key) or []):
            _entry(files, path, entry, Place(str(file), line, (key, index)), into, (*above, path))
    _other_files(path, data, Place(str(file), line), into)
    if isinstance(namespace := data.get("namespace"), str):
        into.manifests[before:] = [_in_namespace(manifest, namespace) for manifest in into.manifests[before:]]


def _entry(files: Files, path: Path, entry: object, place: Place, into: Folder, above: tuple[Path, ...]) -> None:
    if not isinstance(entry, str):
        into.remarks.append(Remark("bad-entry", place, "an entry of a kustomization must be a path"))
        into.whole = False
        return
    target = path / entry
    if _REMOTE.match(entry):
        into.remote.append((entry, place))
        into.whole = False
    elif target.is_dir():
        _walk(files, target.resolve(), into, above, place)
    elif target.is_file():
        _take(files, target.resolve(), into, place)
    else:
        words = f"{entry} is not there"
        if " " in entry.strip() or "\n" in entry.strip():
            words += ": two entries on one line?"
        into.remarks.append(Remark("missing-file", place, words, data=(("entry", entry),)))
        into.whole = False


def _generated(files: Files, path: Path, into: Folder) -> None:
    """Flux generates a kustomization of all manifests below a folder, and of the kustomizations in it."""
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        into.remarks.append(Remark("missing-file", Place(str(path)), f"cannot be read: {error.strerror}"))
        return
    for entry in entries:
        if entry.is_dir() and not entry.name.startswith(".") and not entry.is_symlink():
            if kustomization_of(entry):
                _walk(files, entry, into, (path,), Place(str(entry)))
            else:
                _generated(files, entry, into)
        elif entry.suffix in {".yaml", ".yml"} and entry.is_file():
            _take(files, entry, into, Place(str(entry)))


def _take(files: Files, file: Path, into: Folder, listed: Place) -> None:
    into.files.add(file)
    try:
        documents = files.documents(file)
    except UnreadableError as error:
        _unreadable(into, file, error)
        return
    for document in documents:
        into.remarks += [
            Remark("duplicate-key", Place(str(file), line), f"the key `{key}` stands twice")
            for key, line in document.doubles
        ]
        into.manifests += manifests(document, file, listed)


def manifests(document: Document, file: Path, listed: Place) -> Iterator[Manifest]:
    """The objects of a document: itself, or the items of a List."""
    data = document.data
    if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str) or "apiVersion" not in data:
        return
    if data["kind"].endswith("List") and isinstance(data.get("items"), list):
        for index, item in enumerate(data["items"]):
            if isinstance(item, Mapping) and "kind" in item:
                yield Manifest(item, str(file), document.line, ("items", index), listed)
        return
    yield Manifest(data, str(file), document.line, (), listed)


def _other_files(path: Path, data: Mapping[str, Any], place: Place, into: Folder) -> None:
    """Files that transformers and generators read: they are listed, too."""
    for found, where in _mentioned(data):
        target = path / found
        if target.is_file():
            into.files.add(target.resolve())
        elif not _REMOTE.match(found):
            words = f"{found} is not there"
            into.remarks.append(
                Remark("missing-file", Place(place.file, place.line, where), words, data=(("entry", found),))
            )
            into.whole = False


def _mentioned(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    for key in ("patches", "patchesJson6902", "replacements"):
        for index, entry in enumerate(data.get(key) or []):
            if isinstance(entry, Mapping) and isinstance(entry.get("path"), str):
                yield entry["path"], (key, index, "path")
    for key in ("patchesStrategicMerge", "configurations", "crds", "transformers", "generators"):
        for index, entry in enumerate(data.get(key) or []):
            if isinstance(entry, str) and "\n" not in entry:
                yield entry, (key, index)
    for key in ("configMapGenerator", "secretGenerator"):
        for index, entry in enumerate(data.get(key) or []):
            if isinstance(entry, Mapping):
                for inner in ("files", "envs"):
                    for number, item in enumerate(entry.get(inner) or []):
                        if isinstance(item, str):
                            yield item.partition("=")[2] or item, (key, index, inner, number)


def _unreadable(into: Folder, file: Path, error: UnreadableError) -> None:
    into.remarks.append(Remark("unreadable", Place(str(file), error.line), error.words))
    into.whole = False


def _in_namespace(manifest: Manifest, namespace: str) -> Manifest:
    if manifest.kind in _CLUSTER_SCOPED:
        return manifest
    data = {**manifest.data, "metadata": {**manifest.mapping("metadata"), "namespace": namespace}}
    return Manifest(data, manifest.file, manifest.line, manifest.prefix, manifest.listed)
