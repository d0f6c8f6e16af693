"""What is in the store, how large it is and when it was last used; and how it is removed."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebirth.store.store import Store, StoredManifest, children_of, kind_of, sizes_of

CHART, FILE, GIT = "chart", "file", "git"


@dataclass(frozen=True)
class Kept:
    """One thing that was fetched."""

    kind: str  # chart, image, artifact, file, git
    name: str
    size: int  # bytes on disk; what several share counts for each
    used: float  # seconds since 1970
    records: tuple[Path, ...] = field(repr=False)
    blobs: frozenset[str] = field(default=frozenset(), repr=False)
    folder: Path | None = None  # of a Git repository


@dataclass(frozen=True)
class Removed:
    things: int
    size: int  # bytes


def kept(store: Store) -> list[Kept]:
    """Everything in the store, in the order of kinds and names."""
    found = [*_charts(store), *_files(store), *_repositories(store), *_manifests(store)]
    return sorted(found, key=lambda one: (one.kind, one.name))


def size(store: Store) -> int:
    """Bytes on disk."""
    return _folder_size(store.folder)


def prune(store: Store, *, unused_for: float = 0.0) -> Removed:
    """Removes what nobody has used for so many seconds, and what is left of broken downloads; with 0 everything.

    Raises Broken where something is being fetched.
    """
    with store.removing():
        before, everything = size(store), kept(store)
        border = time.time() - unused_for
        going = [one for one in everything if not unused_for or one.used < border]
        staying = [one for one in everything if one not in going]
        records = {record for one in staying for record in one.records}
        blobs = {digest for one in staying for digest in one.blobs}
        for one in going:
            for record in set(one.records) - records:
                record.unlink(missing_ok=True)
            if one.folder:
                shutil.rmtree(one.folder, ignore_errors=True)
        for blob in store.blobs.every():
            if f"sha256:{blob.name}" not in blobs:
                blob.unlink(missing_ok=True)
        return Removed(len(going), before - size(store))


def _charts(store: Store) -> Iterator[Kept]:
    for file, record in store.records.below("charts"):
        name = f"{record['url']}/{record['name']} {record['version']}"
        yield _of_blob(store, CHART, name, file, record)


def _files(store: Store) -> Iterator[Kept]:
    for file, record in store.records.below("files"):
        yield _of_blob(store, FILE, str(record["url"]), file, record)


def _of_blob(store: Store, kind: str, name: str, file: Path, record: dict[str, Any]) -> Kept:
    digest = str(record["digest"])
    return Kept(kind, name, _size(store, digest), file.stat().st_mtime, (file,), frozenset({digest}))


def _repositories(store: Store) -> Iterator[Kept]:
    for file, record in store.records.below("git"):
        folder = store.git_folder(str(record["url"]))
        name = f"{record['url']} {', '.join(sorted(set(record['references']) - {'HEAD'}))}"
        yield Kept(GIT, name, _folder_size(folder), file.stat().st_mtime, (file,), folder=folder)


def _manifests(store: Store) -> Iterator[Kept]:
    """By tag; by digest what no tag and no index leads to."""
    found: dict[tuple[str, str], tuple[Path, StoredManifest]] = {}
    for file, record in store.records.below("manifests"):
        digest = str(record["digest"])
        if path := store.blob(digest):
            manifest = StoredManifest(str(record["media_type"]), digest, path.read_bytes())
            found[str(record["repository"]), str(record["reference"])] = (file, manifest)
    inner = {(name, digest) for (name, _), (_, one) in found.items() for digest in children_of(one)}
    inner |= {(name, one.digest) for (name, reference), (_, one) in found.items() if reference != one.digest}
    for (name, reference), (file, manifest) in found.items():
        if (name, reference) in inner:
            continue
        parts = [found[name, d] for d in (manifest.digest, *children_of(manifest)) if (name, d) in found]
        records = tuple({file, *(part for part, _ in parts)})
        blobs = {manifest.digest, *sizes_of(manifest)}
        for _, part in parts:
            blobs |= {part.digest, *sizes_of(part)}
        kinds = [kind_of(one) for one in (manifest, *(part for _, part in parts)) if kind_of(one)]
        yield Kept(
            kinds[0] if kinds else "artifact",
            f"{name}@{reference}" if reference.startswith("sha256:") else f"{name}:{reference}",
            sum(_size(store, digest) for digest in blobs),
            max(record.stat().st_mtime for record in records),
            records,
            frozenset(blobs),
        )


def _size(store: Store, digest: str) -> int:
    file = store.blob(digest)
    return file.stat().st_size if file else 0


def _folder_size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
