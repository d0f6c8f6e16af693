"""Finds what a repository keeps for whoever sets the cluster up before Flux runs: objects in a folder `bootstrap` that no
Kustomization leads to.
"""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from rebirth.proof.reading import kustomization
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.repository_files import Files, is_near
from rebirth.proof.reading.start import clusters
from rebirth.proof.reading.start.folders import is_for_bootstrap
from rebirth.proof.things import Place


class Early(NamedTuple):
    """What comes of such folders."""

    objects: list[Manifest]  # with the namespaces that their kustomizations give them
    fetched: list[tuple[str, Place]]  # addresses that their kustomizations take from the web


def find(files: Files, listed: Collection[Path], cluster: str, others: Collection[str]) -> Early:
    """Not of what is nearer to another cluster."""
    apart = _apart(files, listed, cluster, others)
    built = [kustomization.folder(files, f.parent) for f in apart if f.name in kustomization.NAMES]
    inner = {file.parent for folder in built for file in folder.kustomizations if file.parent != folder.path}
    found = Early([], [])
    taken: set[Path] = set()
    for folder in built:
        taken |= folder.files
        found.fetched.extend(folder.remote)
        if folder.path not in inner:
            found.objects.extend(folder.manifests)
    for file in apart:
        if file not in taken and file.name not in kustomization.NAMES:
            found.objects.extend(clusters.manifests_of(files, file))
    return found


def _apart(files: Files, listed: Collection[Path], cluster: str, others: Collection[str]) -> list[Path]:
    return [
        f for f in files.yaml_files()
        if is_for_bootstrap(f, files.root) and f not in listed and is_near(Path(files.shown(f)), cluster, others)
    ]  # fmt: skip
