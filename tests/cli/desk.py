"""A working directory, and commands that run in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.commanding import within
from trees import change

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"


class Desk:
    """A working directory, and processes of rebirth that run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("REBIRTH_", "GIT_"))},
            "NO_COLOR": "1",
            "COLUMNS": "80",
            "HOME": str(folder),
            "REBIRTH_FETCHED": str(folder / "fetched"),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path("~/.cache").expanduser())),
        }

    def process(self, *arguments: str) -> tuple[int, str, str]:
        """A process of its own: exit code, standard output, standard error."""
        done = subprocess.run(
            [sys.executable, "-m", "rebirth", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """The same within this process."""
        return within(self.folder, self.environment, *arguments)

    def castle(self, *changes: tuple[str, str]) -> Path:
        """The example castle, with its repository."""
        castle = self.folder / "castle"
        shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth", "blog"))
        for old, new in (("directory: ~/secrets ", "directory: vault "), *changes):
            change(castle, "castle.yaml", old, new)
        return castle


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
