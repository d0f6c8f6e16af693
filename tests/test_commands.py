"""Programs that a run starts: what they find in their environment, and that none outlives it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import Broken
from rebirth.secrets import Redaction, Secret

_RUN = """
import asyncio, sys
from rebirth.commands import Commands
from rebirth.secrets import Redaction
asyncio.run(Commands(Redaction()).run(["sh", "-c", "echo $$ > " + sys.argv[1] + "; exec sleep 60"], operation="sleep"))
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def within(seconds: float, asked) -> bool:
    deadline = time.monotonic() + seconds
    while not (answer := asked()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(answer)


async def test_the_castles_secrets_are_in_no_programs_environment(monkeypatch):
    monkeypatch.setenv("REBIRTH_SECRET_GITHUB_TOKEN", "c4n4ry")
    monkeypatch.setenv("REBIRTH_LAB", "tower")
    said = await Commands(Redaction()).run(["env"], operation="look", env={"REBIRTH_GIT_TOKEN": "for git"})
    assert "c4n4ry" not in said
    assert "REBIRTH_SECRET_" not in said
    assert {"REBIRTH_LAB=tower", "REBIRTH_GIT_TOKEN=for git"} <= {*said.splitlines()}


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv(1)")
def test_a_program_does_not_outlive_a_killed_run(tmp_path):
    file = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", _RUN, str(file)]) as run:
        assert within(10, lambda: file.exists() and file.read_text().endswith("\n"))
        pid = int(file.read_text())
        assert alive(pid)
        run.send_signal(signal.SIGKILL)
    assert within(5, lambda: not alive(pid))


async def test_a_program_that_is_given_up_ends_with_all_it_started(tmp_path):
    file = tmp_path / "pids"
    script = f"sleep 60 & echo $! >> {file}; echo $$ >> {file}; wait"
    running = asyncio.create_task(Commands(Redaction()).run(["sh", "-c", script], operation="sleep"))
    while not file.exists() or len(file.read_text().splitlines()) < 2:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert within(5, lambda: not any(alive(int(pid)) for pid in file.read_text().split()))


async def test_one_that_is_given_up_while_it_starts_ends_with_all_it_started(tmp_path, monkeypatch):
    """What it has started holds its pipes: asyncio, cancelled in the middle, waits for them."""
    file, start = tmp_path / "pids", asyncio.create_subprocess_exec

    async def slowly(*argv, **options):
        process = await start(*argv, **options)
        await asyncio.sleep(0.5)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slowly)
    script = f"sleep 60 & echo $! >> {file}; echo $$ >> {file}; wait"
    running = asyncio.create_task(Commands(Redaction()).run(["sh", "-c", script], operation="sleep"))
    while not file.exists() or len(file.read_text().splitlines()) < 2:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert within(5, lambda: not any(alive(int(pid)) for pid in file.read_text().split()))


async def test_a_program_that_is_not_there():
    with pytest.raises(Broken, match="nowhere-to-be-found: look: the program is not on PATH"):
        await Commands(Redaction()).run(["nowhere-to-be-found"], operation="look")
    with pytest.raises(Broken, match="git: clone: the program is not on PATH"):
        await Commands(Redaction()).run(["git"], operation="clone", env={"PATH": os.devnull})


async def test_a_program_that_fails_says_so_without_secrets():
    with pytest.raises(ProgramFailed, match=r"sh: look: exited with 3: no \[secret\]") as caught:
        await Commands(Redaction([Secret("c4n4ry")])).run(["sh", "-c", "echo no c4n4ry >&2; exit 3"], operation="look")
    assert caught.value.status == 3
