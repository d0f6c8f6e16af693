"""The example castle's repository, as its Git host and Flux know it: the files of the tree itself, with small Flux manifests."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from standins.charts import crd, namespace, workload

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
_TREE = EXAMPLE / "gitops"
_SYNC = "gotk-sync.yaml"
_FLUX = "flux-system"
_KINDS = (
    ("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories", "v1"),
    ("source.toolkit.fluxcd.io", "HelmRepository", "helmrepositories", "v1"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations", "v1"),
    ("helm.toolkit.fluxcd.io", "HelmRelease", "helmreleases", "v2"),
)


@cache
def components() -> str:
    """What stands for gotk-components.yaml: kinds and controllers, without their thousands of lines."""
    controllers = []
    for name in ("source-controller", "kustomize-controller", "helm-controller"):
        made = workload("Deployment", name, _FLUX)
        made["metadata"]["labels"] = {"app.kubernetes.io/part-of": "flux"}
        controllers.append(made)
    crds = [crd(group, kind, plural, version=version) for group, kind, plural, version in _KINDS]
    return "\n---\n".join(json.dumps(item) for item in [namespace(_FLUX), *crds, *controllers])


def clone(folder: Path, path: str) -> None:
    """What git leaves of it, as far as anybody reads it."""
    place = folder / path / _FLUX
    place.mkdir(parents=True)
    (place / "gotk-components.yaml").write_text(components())
    (place / _SYNC).write_text((_TREE / path / _FLUX / _SYNC).read_text())


@cache
def _text(path: str) -> str:
    """All that a kustomization of that folder builds, before substitution."""
    folder = _TREE / path
    said = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found = []
    for name in said["resources"]:
        if name == _FLUX:
            found.append((folder / name / _SYNC).read_text())
        elif (folder / name).is_dir():
            found.append(_text(f"{path}/{name}"))
        else:
            found.append((folder / name).read_text())
    return "\n---\n".join(found)


@cache
def _built(path: str, variables: tuple[tuple[str, str], ...]) -> tuple[dict[str, Any], ...]:
    known = dict(variables)
    text = re.sub(r"\$\{(\w+)\}", lambda found: known.get(found[1], ""), _text(path))
    return tuple(item for item in yaml.safe_load_all(text) if item)


def built(path: str, variables: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """The objects of a Kustomization's path. Nobody may change them."""
    return _built(path.removeprefix("./"), tuple(sorted(variables.items())))
