"""What is known of a lab from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rebirth.errors import Broken
from rebirth.lab.ca import Authority
from rebirth.lab.control import Control
from rebirth.lab.state import STATE_VARIABLE, LabState, labs
from rebirth.lab.systems.faults import Faults
from rebirth.lab.systems.servers import Servers
from rebirth.lab.up import down


@pytest.fixture
def state(tmp_path, monkeypatch) -> LabState:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return LabState("demo")


@pytest.fixture
def marked(state):
    """A process that carries the lab's mark."""
    environment = {**os.environ, STATE_VARIABLE: str(state.folder)}
    command = [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


async def test_a_lab_that_never_was_is_down(state):
    assert await state.status() == {"state": "down"}
    assert await down("demo") is False
    assert labs() == []


def test_the_process_that_holds_it_is_known_again(state, marked):
    state.folder.mkdir(parents=True)
    state.record(marked.pid)
    assert state.init == marked.pid
    assert [lab.name for lab in labs()] == ["demo"]


async def test_another_process_with_its_number_is_not_taken_for_it(state, marked):
    state.folder.mkdir(parents=True)
    state.record(marked.pid)
    file = state.folder / "init.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "started": "1"}))
    assert state.init is None
    assert (await state.status())["state"] == "crashed"


@pytest.fixture
def one_processor():
    """A child goes on when this process waits, and not before."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


def test_one_that_was_just_started_is_known_at_once(state, one_processor):
    """Its environment is empty for a moment: exec has not ended when it is known that it began."""
    state.folder.mkdir(parents=True)
    for _ in range(20):
        pid = os.posix_spawnp("sleep", ["sleep", "60"], {**os.environ, STATE_VARIABLE: str(state.folder)})
        try:
            state.record(pid)
            assert state.init == pid
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_one_that_has_ended_is_not_waited_for(state):
    state.folder.mkdir(parents=True)
    pid = os.posix_spawnp("true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    began = time.monotonic()
    state.record(pid)
    os.waitpid(pid, 0)
    assert state.init is None
    assert time.monotonic() - began < 0.5


def test_nor_is_one_without_the_mark(state):
    state.folder.mkdir(parents=True)
    state.record(os.getpid())
    assert state.init is None


async def test_down_ends_what_carries_the_mark_even_where_nothing_is_recorded(state, marked):
    state.folder.mkdir(parents=True)
    assert marked.pid in state.holders()
    assert await down("demo") is True
    assert not state.folder.exists()
    assert not Path(f"/proc/{marked.pid}").exists()


async def test_two_do_not_bring_it_up_or_down_at_once(state):
    with state.locked(), pytest.raises(Broken, match="another process"):
        await down("demo")


@pytest.mark.parametrize("name", ["", "..", "a/b", "Demo", "-a", "a" * 41])
async def test_names_that_are_no_names(state, name):
    with pytest.raises(Broken, match="not a valid name for a lab"):
        await down(name)


async def test_a_lab_that_does_not_answer(state):
    with pytest.raises(Broken, match="does not answer"):
        await state.ask("/status")


def test_what_it_serves_is_known_from_outside(state):
    state.folder.mkdir(parents=True)
    assert state.repositories == {}
    state.record_repositories({"https://git.example/a": Path("/some/folder")})
    assert state.repositories == {"https://git.example/a": Path("/some/folder")}


def test_what_it_is_doing_is_never_seen_half_written(state):
    """Readers poll while the lab writes: what they see is one of the words, whole."""
    state.folder.mkdir(parents=True)
    words = ["a" * 20_000, "b" * 20_000]
    state.tell(words[0])
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [state.tell(words[n % 2]) for n in range(500)])
        while not writing.done():
            assert state.doing in words
    writing.result()


async def test_the_labs_own_words_are_told(state, tmp_path):
    """What the lab rejects, it explains."""
    state.folder.mkdir(parents=True)

    async def failing() -> dict[str, str]:
        raise RuntimeError("git add: no such folder")

    servers = Servers(Authority("lab"), tmp_path / "tls", tmp_path)
    control = Control(failing, failing, failing, Faults(), None, None)
    await servers.start_local(control.app(), state.socket)
    try:
        with pytest.raises(Broken, match="no such folder"):
            await state.ask("/repositories", "POST")
    finally:
        await servers.stop()
