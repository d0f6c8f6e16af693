"""Finds what a repository keeps for whoever sets the cluster up before Flux runs: objects in a folder `bootstrap` that no
Kustomization leads to.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

from rebirth.proof.reading import kustomization
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.repository_files import Files, is_near
from rebirth.proof.reading.start import clusters
from rebirth.proof.reading.start.folders import is_for_bootstrap
from rebirth.proof.things import Place


def fetched(
    files: Files, listed: Collection[Path], cluster: str, others: Collection[str]
) -> Iterator[tuple[str, Place]]:
    """What the kustomizations of such folders take from the web."""
    for file in _apart(files, listed, cluster, others):
        if file.name in kustomization.NAMES:
            yield from kustomization.folder(files, file.parent).remote


def find(files: Files, listed: Collection[Path], cluster: str, others: Collection[str]) -> Iterator[Manifest]:
    """The objects of such folders, with the namespaces that their kustomizations give them; not of what is nearer to another cluster."""
    apart = _apart(files, listed, cluster, others)
    built = [kustomization.folder(files, f.parent) for f in apart if f.name in kustomization.NAMES]
    inner = {file.parent for folder in built for file in folder.kustomizations if file.parent != folder.path}
    taken: set[Path] = set()
    for folder in built:
        taken |= folder.files
        if folder.path not in inner:
            yield from folder.manifests
    for file in apart:
        if file not in taken and file.name not in kustomization.NAMES:
            yield from clusters.manifests_of(files, file)


def _apart(files: Files, listed: Collection[Path], cluster: str, others: Collection[str]) -> list[Path]:
    return [
        f for f in files.yaml_files()
        if is_for_bootstrap(f, files.root) and f not in listed and is_near(Path(files.shown(f)), cluster, others)
    ]  # fmt: skip
