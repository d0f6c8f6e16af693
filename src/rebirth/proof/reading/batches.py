"""Several folders in one run of kustomize, which takes longer to start than to build one.

A kustomization of ours lists them, and kustomize makes of each what it would make of it alone as long as none has a part in
another's: it follows references across all objects, but only those to what it has renamed or, in a few kinds, put into another
namespace (kustomize api 0.21: `FixBackReferences`), and reads some fields as said of all that is built. So there are no such
kinds and fields in a batch, no name comes out that was not written, and no object is in two of its folders.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebirth.proof.reading.kustomization import ENTANGLED, Folder
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.mentioned import as_list

Written = Mapping[Path, Mapping[str, Any]]  # files with another content than they have in the repository
WithOrigin = tuple[dict[str, Any], Mapping[str, Any]]  # an object, and what kustomize says of its origin
GENERATORS = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}
_ORIGINS = ["originAnnotations"]
_LISTING = "rebirth-lists-these"  # a folder that only the copy has which kustomize sees
_MOST = 20  # folders in a batch; what kustomize compares grows with the square of its objects
_OBJECTS = 250
# Fields of which each is about the objects of its own kustomization alone.
_LOCAL = {
    "apiVersion", "kind", "metadata", "buildMetadata", "resources", "bases", "components", "namespace", "labels", "commonLabels",
    "commonAnnotations", "images", "replicas", "patches", "patchesStrategicMerge", "patchesJson6902", "generatorOptions",
    *GENERATORS.values(),
}  # fmt: skip
_REFERRING = ENTANGLED | {"Node"}  # kinds into which the namespace of what they refer to is written


@dataclass(slots=True)
class Batch:
    """Folders that are built together."""

    folders: list[tuple[Folder, Written]] = field(default_factory=list)
    written: set[Path] = field(default_factory=set)
    files: dict[Path, int | None] = field(default_factory=dict)  # with the number of the folder; None: several read it
    objects: dict[tuple[str, str, str, str], int] = field(default_factory=dict)

    def takes(self, found: Folder, written: Written) -> bool:
        """Adds a folder, if it may be built with those that are there."""
        number, files, objects = len(self.folders), found.files | written.keys(), _objects(found, written)
        full = number == _MOST or (number and len(self.objects) + len(objects) > _OBJECTS)
        apart = self.written.isdisjoint(files) and written.keys().isdisjoint(self.files)
        if full or not apart or not self.objects.keys().isdisjoint(objects):
            return False
        self.folders.append((found, written))
        self.written |= written.keys()
        self.files |= {file: None if file in self.files else number for file in files}
        self.objects |= dict.fromkeys(objects, number)
        return True

    def listing(self, root: Path) -> tuple[Path, Written]:
        """The folder that takes in all of them, and all that is written for it."""
        top = root / _LISTING
        listed = [os.path.relpath(found.path, top) for found, _ in self.folders]
        data = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": listed}
        written = {file: content for _, own in self.folders for file, content in own.items()}
        return top, {**written, top / "kustomization.yaml": {**data, "buildMetadata": _ORIGINS}}

    def apart(self, made: Iterable[WithOrigin], root: Path) -> list[list[WithOrigin]] | None:
        """The objects of each folder, as if it were built alone; None where that is not sure."""
        parts: list[list[WithOrigin]] = [[] for _ in self.folders]
        names = {(number, kind, name) for (_, kind, _, name), number in self.objects.items()}
        for data, origin in made:
            key = "configuredIn" if "configuredIn" in origin else "path"
            file = Path(os.path.normpath(root / _LISTING / str(origin.get(key, ""))))
            group, kind, space, name = identity(Manifest(data, "", 0))
            number = self.files.get(file)
            number = self.objects.get((group, kind, space, name)) if number is None else number
            if number is None or (number, kind, name) not in names:
                return None
            parts[number].append((data, {**origin, key: os.path.relpath(file, self.folders[number][0].path)}))
        return parts


def batches(asked: Iterable[tuple[Folder, Written]]) -> list[Batch]:
    """The folders that may be built with others, of at least two each."""
    found: list[Batch] = []
    for one in asked:
        if _is_local(*one) and not any(batch.takes(*one) for batch in found):
            found.append(Batch())
            found[-1].takes(*one)
    return [batch for batch in found if len(batch.folders) > 1]


def halves(batch: Batch) -> list[Batch]:
    """Of one that cannot be built, so that only what is wrong is built alone."""
    middle = len(batch.folders) // 2
    return [*batches(batch.folders[:middle]), *batches(batch.folders[middle:])]


def identity(manifest: Manifest) -> tuple[str, str, str, str]:
    return manifest.group, manifest.kind, manifest.namespace, manifest.name


def _is_local(found: Folder, written: Written) -> bool:
    """Whether nothing in it reaches beyond its own objects."""
    top = next(iter(written.values()))
    if top.get("kind") != "Kustomization" or top.get("buildMetadata") != _ORIGINS:
        return False
    return not any(manifest.kind in _REFERRING for manifest in found.manifests) and all(
        map(_is_plain, _all(found, written))
    )


def _is_plain(data: Mapping[str, Any]) -> bool:
    hashed = any(key in data for key in GENERATORS.values()) and not _mapping(data, "generatorOptions").get(
        "disableNameSuffixHash"
    )
    renaming = any(isinstance(patch, Mapping) and patch.get("options") for patch in as_list(data.get("patches")))
    return data.keys() <= _LOCAL and not hashed and not renaming


def _all(found: Folder, written: Written) -> Sequence[Mapping[str, Any]]:
    """Every kustomization, as it is built."""
    return [*written.values(), *(data for file, (data, _) in found.kustomizations.items() if file not in written)]


def _objects(found: Folder, written: Written) -> set[tuple[str, str, str, str]]:
    """Group, kind, namespace and name of each object, as far as that is plain to see."""
    space = str(next(iter(written.values())).get("namespace") or "")
    made = {(m.group, m.kind, space or m.namespace, m.name) for m in found.manifests}
    for data in _all(found, written):
        for kind, key in GENERATORS.items():
            names = (str(entry.get("name")) for entry in as_list(data.get(key)) if isinstance(entry, Mapping))
            made |= {("", kind, space, name) for name in names}
    return made


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return value if isinstance(value := data.get(key), Mapping) else {}
