"""Small Flux repositories for tests."""

import textwrap
from pathlib import Path

NODE = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: {name}
  namespace: flux-system
spec:{needs}
  interval: 10m
  path: ./{name}
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
"""
SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: default
"""


def lay(root: Path, **nodes: str) -> Path:
    """A repository with one Kustomization a node; each names those that it depends on: lay(root, a="", b="a c")."""
    for name, needs in nodes.items():
        depends = "".join(f"\n    - name: {other}" for other in needs.split())
        write(root, f"clusters/x/{name}.yaml", NODE.format(name=name, needs=depends and f"\n  dependsOn:{depends}"))
        write(root, f"{name}/settings.yaml", SETTINGS.format(name=name))
    return root


def write(root: Path, path: str, text: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text))
    return file


def change(root: Path, path: str, old: str, new: str) -> None:
    file = root / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
