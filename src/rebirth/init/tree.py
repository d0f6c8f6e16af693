"""A small Flux repository to begin with, where there is none: one Kustomization, which makes one namespace."""

from collections.abc import Mapping
from pathlib import Path

from rebirth.repository import BESIDE

_CLUSTER = """\
# What Flux follows: add a Kustomization for each part of the cluster, and dependsOn where one needs another.
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m
  retryInterval: 1m
  timeout: 5m
  path: ./apps
  prune: true
  wait: true
  sourceRef:
    kind: GitRepository
    name: flux-system
"""
_LIST = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - {}
"""
_NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: apps
"""


def lay(directory: Path, path: str) -> list[Path]:
    """Writes the repository beside castle.yaml, unless a folder of its name is there. Returns what was written."""
    root = directory / BESIDE
    if root.exists():
        return []
    return [_write(root / name, text) for name, text in _files(path).items()]


def _files(path: str) -> Mapping[str, str]:
    return {
        f"{path}/apps.yaml": _CLUSTER,
        f"{path}/kustomization.yaml": _LIST.format("apps.yaml"),
        "apps/namespace.yaml": _NAMESPACE,
        "apps/kustomization.yaml": _LIST.format("namespace.yaml"),
    }


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file
