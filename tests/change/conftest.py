"""What tests of changes share."""

import subprocess
from pathlib import Path

import pytest

from cli.desk import desk
from trees import lay

__all__ = ["desk"]


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    who += ["-c", "protocol.file.allow=always"]  # submodules of a test lie beside it
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def commit():
    """Commits all that lies in a folder: commit(folder) -> the commit."""

    def run(folder: Path) -> str:
        if not (folder / ".git").exists():
            git(folder, "init", "--quiet")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "as it is")
        return git(folder, "rev-parse", "HEAD")

    return run


@pytest.fixture
def tree(desk, commit) -> Path:
    """A repository of which b needs a, committed."""
    root = lay(desk.folder / "tree", a="", b="a", c="")
    commit(root)
    return root
