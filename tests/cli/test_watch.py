"""check --watch: what a change of a file changes, until somebody asks it to end."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from trees import change, lay

PATIENCE = 60.0  # seconds


class Watching:
    """A process of `check --watch`; its lines are read as they come."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process, self._lines = process, Queue()
        Thread(target=lambda: [self._lines.put(line) for line in process.stdout], daemon=True).start()

    def until(self, pattern: str) -> str:
        """What it says up to a line that holds the pattern."""
        said = ""
        while not re.search(pattern, said, re.MULTILINE):
            try:
                said += self._lines.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError(f"no {pattern} in:\n{said}") from None
        return said

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def watching(desk, *arguments: str) -> Iterator[Watching]:
    # What a shell starts in the background ignores SIGINT, and so would what the tests start in it.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "rebirth", "check", "--watch", *arguments]
    process = subprocess.Popen(
        command, cwd=desk.folder, env=desk.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        try:
            yield Watching(process)
        finally:
            process.kill()


def replaced(file: Path, old: str, new: str) -> None:
    """As editors write a file: another takes its place."""
    beside = file.with_suffix(".tmp")
    beside.write_text(file.read_text().replace(old, new))
    beside.replace(file)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_what_a_change_changes_and_ends_when_asked(desk, number):
    root = lay(desk.folder / "tree", a="", b="a")
    with watching(desk, "--gitops", "tree") as seen:
        assert seen.until("^No castle.yaml").startswith("No problems found in 3 Kustomizations\n")
        lay(root, a="b")
        said = seen.until("^1 error$")
        assert re.search(r"^\d\d:\d\d:\d\d .*clusters/x/a.yaml changed \(\d+\.\d s\)$", said, re.MULTILINE)
        assert "\nnew:\nerror R13: dependsOn closes a cycle\n" in said
        change(root, "clusters/x/b.yaml", "kind:", "# a comment\nkind:")
        assert "\nnothing new\n" in seen.until("^1 error$")
        replaced(root / "clusters" / "x" / "a.yaml", "name: b", "name: c")
        said = seen.until("^1 error$")
        assert "\ngone: error R13: dependsOn closes a cycle" in said
        assert "\nnew:\nerror R13: Kustomization flux-system/a depends on" in said
        assert seen.end(number) == 128 + number


def test_half_of_an_edit_does_not_end_it(desk):
    root = lay(desk.folder / "tree", a="")
    with watching(desk, "--gitops", "tree") as seen:
        seen.until("^No castle.yaml")
        (root / ".rebirth.yaml").write_text("check: {ignore: [")
        seen.until(r"^error: .*/tree/\.rebirth\.yaml:1: is not YAML")
        (root / ".rebirth.yaml").unlink()
        assert "nothing new" in seen.until("^No problems found")
        assert seen.end(signal.SIGINT) == 130


def test_what_a_baseline_knows_is_not_told(desk):
    lay(desk.folder / "tree", a="b", b="a")
    desk.run("check", "--gitops", "tree", "--baseline", "known.json", "--write-baseline")
    with watching(desk, "--gitops", "tree", "--baseline", "known.json") as seen:
        seen.until("^No new problems found in 3 Kustomizations; 1 known and not shown")


@pytest.mark.parametrize("more", [("--since", "HEAD"), ("--format", "json"), ("--output", "json=x")])
def test_it_prints_text_alone(desk, more):
    lay(desk.folder / "tree", a="")
    code, _, complaints = desk.run("check", "--gitops", "tree", "--watch", *more)
    assert code == 2
    assert complaints.startswith("error: --watch prints text")
