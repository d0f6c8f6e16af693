"""What tests of findings share."""

import asyncio
from pathlib import Path

import pytest

from rebirth.findings.places import Places
from rebirth.findings.verdict import Verdict, weigh
from rebirth.proof.prove import prove
from trees import lay


@pytest.fixture
def circle(tmp_path: Path) -> Path:
    """A repository in which a and b depend on each other."""
    return lay(tmp_path / "repository", a="b", b="a")


@pytest.fixture
def judged():
    """Weighs what is found in a repository: judged(root) -> Verdict, Places."""

    def run(root: Path) -> tuple[Verdict, Places]:
        places = Places(here=root)
        return weigh(asyncio.run(prove(root, clusters=["clusters/x"])), places), places

    return run
