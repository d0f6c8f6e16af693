"""What talosctl reads and writes for a moment: never in the way of the next run, and gone however a run ends."""

import asyncio
import os
from pathlib import Path

import pytest

from rebirth.commands import Commands
from rebirth.errors import NotYet
from rebirth.paths import Paths
from rebirth.providers.scratch import scratch_below
from rebirth.providers.talos import Talosctl
from rebirth.secrets import Redaction

_FILE = "for file; do :; done\n"  # the argument given last
_NEW = '[ -e "$file" ] && { echo "file $file already exists, use --force" >&2; exit 1; }\n'  # as `gen secrets` does


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path, tmp_path, tmp_path / "produced", tmp_path / "state", tmp_path / "logs")


@pytest.fixture
def talosctl(paths, tmp_path, monkeypatch):
    """talosctl, played by a script."""

    def play(script: str) -> Talosctl:
        program = tmp_path / "bin" / "talosctl"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n" + script)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        return Talosctl(paths=paths, commands=Commands(Redaction()))

    return play


async def test_what_the_program_of_a_killed_run_still_writes_is_not_in_the_way(paths, talosctl):
    """It goes on after the next run has emptied the folder: here just before that run's own program looks."""
    stray = f"echo half > {paths.scratch}/talos-secrets.yaml\n"
    program = talosctl(f'{_FILE}{stray}{_NEW}echo whole > "$file"')
    await program.ensure_secrets()
    assert paths.talos_secrets.read_text() == "whole\n"


async def test_a_run_that_is_ended_leaves_nothing_there(paths, talosctl):
    program = talosctl(f'{_FILE}echo half > "$file"; sleep 60')
    running = asyncio.create_task(program.ensure_secrets())
    scratch = paths.scratch
    while not any(file.read_text() for file in scratch.glob("*")):
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not list(Path(scratch).iterdir())
    assert not paths.talos_secrets.exists()


async def test_a_program_that_says_yes_and_writes_nothing_is_asked_again(paths, talosctl):
    with pytest.raises(NotYet, match="gen secrets: it ended well, and has written nothing"):
        await talosctl("exit 0").ensure_secrets()


async def test_what_a_killed_run_left_goes_before_anything_is_written_there(paths, talosctl):
    left = paths.scratch / "1234-kubeconfig"
    left.parent.mkdir(parents=True)
    left.write_text("a secret")
    await talosctl(f'{_FILE}{_NEW}echo whole > "$file"').ensure_secrets()
    assert not left.exists()


def test_a_folder_of_a_killed_run_goes_and_that_of_another_stays(tmp_path):
    (tmp_path / "left" / "tree").mkdir(parents=True)
    with scratch_below(tmp_path) as first:
        assert not (tmp_path / "left").exists()
        with scratch_below(tmp_path) as second:
            assert sorted(tmp_path.iterdir()) == sorted([first, second])
    assert not list(tmp_path.iterdir())
