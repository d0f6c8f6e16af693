"""Runs `rebirth rehearse` as a process of its own, and looks at what it leaves."""

import json
import os
import subprocess
import sys
from pathlib import Path

LINE = "import sys; from rebirth.cli import main; main()"


def command(tree: Path, *more: str) -> list[str]:
    return [sys.executable, "-c", LINE, "rehearse", "--again", "--gitops", str(tree), *more]


def environment(scratch: Path) -> dict[str, str]:
    """Folders of temporary files of its own, so that what is left can be told."""
    scratch.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "TMPDIR": str(scratch), "NO_COLOR": "1", "COLUMNS": "100"}


def rehearse(tree: Path, scratch: Path, *more: str, before: tuple[str, ...] = ()) -> tuple[int, dict, str]:
    """Exit code, the answer as data, and what was told on standard error."""
    argv = [*before, *command(tree, "--json", *more)]
    done = subprocess.run(argv, env=environment(scratch), capture_output=True, text=True, timeout=180, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def running_in(folder: Path) -> list[int]:
    """Processes that have their working directory, or an argument, below that folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            if entry.name.isdigit() and str(folder) in words + str((entry / "cwd").readlink()):
                found.append(int(entry.name))
        except OSError:
            continue
    return found
