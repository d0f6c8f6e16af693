"""Finds where Flux starts in a repository: the folders that a cluster is pointed at."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rebirth.errors import SpecError
from rebirth.proof.reading import flux, kustomization
from rebirth.proof.reading.artifacts import Artifacts, syncs
from rebirth.proof.reading.kept import Kept
from rebirth.proof.reading.manifest import Manifest, manifests
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.start.folders import is_over
from rebirth.proof.reading.yaml_files import UnreadableError
from rebirth.proof.things import NOWHERE, Place

_UPWARDS = 6  # folders above the named one in which the repository's root is looked for
_CLUSTERS = frozenset({"clusters", "cluster"})  # how the folders are called that Flux is pointed at
_CHARTS = frozenset({"helmCharts", "helmChartInflationGenerator"})
_MARK = flux.KUSTOMIZE.encode()


_GUESSED = "no file says so: it is what nothing else leads to; --cluster names another"
_OWN = "flux-system"  # what `flux bootstrap` calls its Kustomization, and the folder of it


class Start(NamedTuple):
    """Why a folder is one that Flux starts from."""

    why: str
    place: Place = NOWHERE


@dataclass(frozen=True)
class Found:
    root: Path  # what `path` of a Kustomization is relative to
    clusters: Mapping[str, Start]  # folders below the root, in order
    files: Files
    around: Mapping[str, bool]  # folders outside of the one that was named: whether they are there


def find(named: Path, clusters: Sequence[str], kept: Kept | None = None) -> Found:
    """The repository's root, which may lie above the folder that was named, and the clusters in that folder.

    Raises SpecError where there are none.
    """
    files = Files(named, kept)
    written = [m for file in files.mentioning(_MARK) for m in manifests_of(files, file) if flux.is_kustomization(m)]
    written = [m for m in written if not is_over(Path(m.file), named)] or written
    around: dict[str, bool] = {}
    root = _root(named, written, around)
    if root != named:
        files = Files(root, files.kept)
    if clusters:
        return Found(root, {_below(named, root, cluster): Start("it was named") for cluster in clusters}, files, around)
    starts = _instances(files, named) or _starts(files, written)
    if not starts:
        hint = "If Flux is pointed at it from another repository, name the folder: --cluster clusters/production."
        raise SpecError(f"{named}: no Flux Kustomization below it", hint=hint)
    outermost = {files.shown(folder): starts[folder] for folder in _outermost(set(starts))}
    return Found(root, dict(sorted(outermost.items())), files, around)


def manifests_of(files: Files, file: Path) -> list[Manifest]:
    """The objects of a file; none where it cannot be read."""
    try:
        documents = files.documents(file)
    except UnreadableError:
        return []
    return [m for document in documents for m in manifests(document, file, NOWHERE)]


def _below(named: Path, root: Path, cluster: str) -> str:
    """A cluster's folder below the root, whether it was said from there or from the folder that was named."""
    for base in (named, root):
        folder = (base / cluster).resolve()
        if folder.is_dir() and (folder == root or root in folder.parents):
            return str(folder.relative_to(root))
    raise SpecError(f"{named / cluster}: no such directory", hint="--cluster names a folder of the repository.")


def _root(named: Path, written: Sequence[Manifest], around: dict[str, bool]) -> Path:
    """The folder that paths of Kustomizations start from: the one that was named, one above it, or one in it.

    One in it: where an OCI artifact is made of a part of the repository, or a folder is the top of another one. What `flux
    bootstrap` wrote says where its own path leads; else it is the folder from which most paths are there, or begin to be: a placeholder may stand in them.
    """
    written = [m for m in written if flux.source_of(m)[0] != "ExternalArtifact"]
    inside = [folder for folder in _inside(named) if all(m.file.startswith(f"{folder}/") for m in written)]
    candidates = [*_upwards(named), *inside]
    tops = {
        top for own in written if own.name == _OWN for top in _own_top(own) if top in candidates or named in top.parents
    }
    paths = {path for path in map(_path, written) if path and "$" not in path}
    return max(
        sorted(tops, key=lambda top: (top != named, top)) or candidates,
        key=lambda folder: _there(folder, paths, around if folder in named.parents else {}),
    )


def _path(own: Manifest) -> str:
    return str(own.at("spec", "path", default="") or "").strip("./")


def _there(folder: Path, paths: set[str], asked: dict[str, bool]) -> tuple[int, int]:
    """How many paths are in the folder, and how many begin in it."""

    def is_there(path: str) -> bool:
        asked[path] = there = os.path.isdir(path)  # noqa: PTH112 - thousands of paths
        return there

    heads = {head for head in {path.partition("/")[0] for path in paths} if is_there(f"{folder}/{head}")}
    begun = [path for path in paths if path.partition("/")[0] in heads]
    return sum(is_there(f"{folder}/{path}") for path in begun), len(begun)


def _own_top(own: Manifest) -> Iterator[Path]:
    """From where a Kustomization's path leads to the folder that it stands in, or to one above that."""
    path = Path(_path(own))
    for folder in Path(own.file).parents if path.parts and "$" not in str(path) else ():
        if folder.parts[-len(path.parts) :] == path.parts:
            yield folder.parents[len(path.parts) - 1]


def _upwards(named: Path) -> Iterator[Path]:
    """The folder, and those above it up to the top of the git checkout."""
    for number, folder in enumerate((named, *named.parents)):
        if number > _UPWARDS:
            return
        yield folder
        if (folder / ".git").exists():
            return


def _inside(named: Path) -> list[Path]:
    """The folders in the one that was named."""
    try:
        return sorted(entry for entry in named.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []


def _instances(files: Files, named: Path) -> dict[Path, Start]:
    """Where the Flux operator points Flux at."""
    found = {
        (files.root / one.path).resolve(): Start("a FluxInstance syncs it", one.place)
        for one in syncs(files)
        if one.path
    }
    return {
        folder: why for folder, why in found.items() if folder.is_dir() and (folder == named or named in folder.parents)
    }


def _starts(files: Files, written: Sequence[Manifest]) -> dict[Path, Start]:
    """Folders that lead to themselves, as `flux bootstrap` writes them; else those that nothing leads to.

    A path that is the whole repository is hardly ever this one's: so the artifacts of charts and operators are taken.
    """
    root = files.root
    if any(_is_of_all(files, m) for m in written):
        return {root: Start("flux bootstrap has it apply the whole repository")}
    written = [m for m in written if flux.folder_of(m, root, files.resolved) != root] or written
    artifacts = Artifacts(files)
    written = [m for m in written if not artifacts.is_foreign(m)] or written
    if leading := {folder: why for m in written for folder, why in _leading(files, m, written)}:
        return leading
    holding = {Path(folder) for folder in {m.file.rpartition("/")[0] for m in written}}
    led = {flux.folder_of(m, root, files.resolved) for m in written}
    takers = _takers(files)
    tops = {
        top
        for folder in holding
        if not _is_led(folder, led, takers)
        for top in _topmost(folder, takers)
        if not _is_led(top, led, takers)
    }
    # Flux inflates no charts: where kustomize is to do it, somebody renders the folder with other programs.
    tops = {top for top in tops if not _inflates(files, top)} or tops
    # Beside clusters lie folders that nothing uses (any more).
    tops = {top for top in tops if _CLUSTERS & set(top.relative_to(root).parts)} or tops
    roots = {folder for folder in led if any(folder == path or folder in path.parents for path in holding)}
    return dict.fromkeys(tops or roots, Start(_GUESSED))


def _is_of_all(files: Files, own: Manifest) -> bool:
    """Whether `flux bootstrap` wrote it, and it applies the whole repository: its files stand beside it, in the folder that it calls so."""
    path = Path(own.file)
    return (
        own.name == _OWN
        and path == files.root / _OWN / path.name
        and path.name.startswith("gotk-")
        and flux.folder_of(own, files.root, files.resolved) == files.root
    )


def _inflates(files: Files, folder: Path) -> bool:
    return any(_CHARTS & data.keys() for data, _ in kustomization.folder(files, folder).kustomizations.values())


def _leading(files: Files, own: Manifest, written: Sequence[Manifest]) -> Iterator[tuple[Path, Start]]:
    """The folders that a Kustomization applies and that hold itself; of a path with variables all that fit."""
    file, root = Path(own.file), files.root
    bootstrapped = own.name == _OWN or _OWN in file.parts or file.name.startswith("gotk-")
    path = str(own.at("spec", "path", default="") or "")
    start = Start(f"{own.thing().label} applies it, and stands in it", own.place("spec", "path"))
    if "${" in path:
        if bootstrapped:
            yield from (
                (folder, start._replace(why=f"{own.thing().label} applies {path}")) for folder in _fitting(root, path)
            )
        return
    folder = flux.folder_of(own, root)
    if folder == root or folder not in file.parents or not folder.is_dir():
        return
    if bootstrapped or (_is_listed(files, folder, file) and not _is_led_from_outside(folder, written, root)):
        yield folder, start


def _fitting(root: Path, path: str) -> list[Path]:
    """The folders whose path is that one, each variable any one name."""
    pattern = "/".join(
        re.sub(r"\$\{[^}]*\}", "*", part)
        for part in path.removeprefix("./").strip("/").split("/")
        if part not in {"", "..", "*"}
    )
    try:
        return sorted(folder for folder in root.glob(pattern) if folder.is_dir()) if pattern.strip("*/") else []
    except (ValueError, OSError):
        return []


def _is_listed(files: Files, folder: Path, file: Path) -> bool:
    """Whether what stands in the file comes out of the folder when it is built."""
    return file in kustomization.folder(files, folder).files


def _is_led_from_outside(folder: Path, written: Sequence[Manifest], root: Path) -> bool:
    """Whether a Kustomization that stands elsewhere applies the folder, or one around it."""
    return any(
        (target := flux.folder_of(m, root)) != root
        and (target == folder or target in folder.parents)
        and folder not in Path(m.file).parents
        for m in written
    )


def _takers(files: Files) -> dict[Path, set[Path]]:
    """Which folders' kustomizations take a folder, or a file in it, in."""
    found: dict[Path, set[Path]] = {}
    for file in files.yaml_files():
        if file.name not in kustomization.NAMES:
            continue
        for entry in kustomization.entries(files, file):
            target = (file.parent / entry).resolve()
            folder = target if os.path.isdir(target) else target.parent  # noqa: PTH112 - a name may be too long
            if folder != file.parent:
                found.setdefault(folder, set()).add(file.parent)
    return found


def _is_led(folder: Path, led: set[Path], takers: dict[Path, set[Path]]) -> bool:
    """Whether a Kustomization leads to the folder, or to one that takes it in."""
    return any(path in led for above in _above(folder, takers) for path in (above, *above.parents))


def _topmost(folder: Path, takers: dict[Path, set[Path]]) -> set[Path]:
    """The folders that take it in, directly or through others, and that no other takes in; itself where none does."""
    return {above for above in _above(folder, takers) if not takers.get(above)} or {folder}


def _above(folder: Path, takers: dict[Path, set[Path]]) -> set[Path]:
    found, pending = {folder}, [folder]
    while pending:
        for taker in takers.get(pending.pop(), ()):
            if taker not in found:
                found.add(taker)
                pending.append(taker)
    return found


def _outermost(folders: set[Path]) -> set[Path]:
    return {folder for folder in folders if not any(other in folder.parents for other in folders)}
