"""Finds where Flux starts in a repository: the folders that a cluster is pointed at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rebirth.errors import SpecError
from rebirth.graph import NOWHERE
from rebirth.sources import flux, kustomization
from rebirth.sources.artifacts import syncs
from rebirth.sources.manifest import Manifest
from rebirth.sources.repository_files import Files
from rebirth.sources.yaml_files import UnreadableError

_UPWARDS = 6  # folders above the named one in which the repository's root is looked for
_MARK = flux.KUSTOMIZE.encode()


@dataclass(frozen=True)
class Found:
    root: Path  # what `path` of a Kustomization is relative to
    clusters: list[str]  # below the root
    files: Files


def find(named: Path, clusters: Sequence[str]) -> Found:
    """The repository's root, which may lie above the folder that was named, and the clusters in that folder.

    Raises SpecError where there are none.
    """
    files = Files(named)
    written = [m for file in files.mentioning(_MARK) for m in manifests_of(files, file) if flux.is_kustomization(m)]
    root = _root(named, written)
    if root != named:
        files = Files(root)
    if clusters:
        return Found(root, [_below(named, root, cluster) for cluster in clusters], files)
    starts = _instances(files, named) or _starts(written, root)
    if not starts:
        raise SpecError(f"{named}: no Flux Kustomization is below it", hint="Name the cluster's folder with --cluster.")
    return Found(root, sorted(files.shown(folder) for folder in _outermost(starts)), files)


def manifests_of(files: Files, file: Path) -> list[Manifest]:
    """The objects of a file; none where it cannot be read."""
    try:
        documents = files.documents(file)
    except UnreadableError:
        return []
    return [m for document in documents for m in kustomization.manifests(document, file, NOWHERE)]


def _below(named: Path, root: Path, cluster: str) -> str:
    """A cluster's folder below the root, whether it was said from there or from the folder that was named."""
    for base in (named, root):
        folder = (base / cluster).resolve()
        if folder.is_dir() and (folder == root or root in folder.parents):
            return str(folder.relative_to(root))
    raise SpecError(f"{named / cluster}: no such directory", hint="--cluster names a folder of the repository.")


def _root(named: Path, written: Sequence[Manifest]) -> Path:
    """The folder from which most paths of Kustomizations are there: the one that was named, or one above it."""
    paths = {str(m.at("spec", "path", default="")).strip("./") for m in written}
    paths = {path for path in paths if path and "$" not in path}
    best, most = named, -1
    for folder in _upwards(named):
        there = sum((folder / path).is_dir() for path in paths)
        if there > most:
            best, most = folder, there
    return best


def _upwards(named: Path) -> Iterator[Path]:
    """The folder, and those above it up to the top of the git checkout."""
    for number, folder in enumerate((named, *named.parents)):
        if number > _UPWARDS:
            return
        yield folder
        if (folder / ".git").exists():
            return


def _instances(files: Files, named: Path) -> set[Path]:
    """Where the Flux operator points Flux at."""
    found = {(files.root / sync.path).resolve() for sync in syncs(files) if sync.path}
    return {folder for folder in found if folder.is_dir() and (folder == named or named in folder.parents)}


def _starts(written: Sequence[Manifest], root: Path) -> set[Path]:
    """Folders that lead to themselves, as `flux bootstrap` writes them; else those that nothing leads to."""
    holding = {Path(m.file).parent for m in written}
    led = {flux.folder_of(m, root) for m in written}
    leading = {
        folder
        for m in written
        if (folder := flux.folder_of(m, root)) in Path(m.file).parents and folder.is_dir() and folder != root
    }
    tops = {folder for folder in holding if not any(folder == path or path in folder.parents for path in led)}
    roots = {folder for folder in led if any(folder == path or folder in path.parents for path in holding)}
    return leading or tops or roots


def _outermost(folders: set[Path]) -> set[Path]:
    return {folder for folder in folders if not any(other in folder.parents for other in folders)}
