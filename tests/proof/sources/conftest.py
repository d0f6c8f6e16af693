"""What tests of reading repositories share."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rebirth.commands import Commands
from rebirth.proof.reading.kustomize import Kustomize
from rebirth.proof.reading.survey import Survey, survey
from rebirth.secrets import Redaction

Tree = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes files: path below the root -> text."""

    def write(files: Mapping[str, str]) -> Path:
        root = tmp_path / "tree"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return root

    return write


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Survey]]:
    """Surveys a repository with a cache of its own: read(root, *clusters)."""

    def run(root: Path, *clusters: str) -> list[Survey]:
        kustomize = Kustomize(commands=Commands(Redaction()), cache=tmp_path / "cache")
        return asyncio.run(survey(root, clusters, kustomize))

    return run
