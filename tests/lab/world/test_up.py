"""What a lab says while it starts, and when it is up already."""

import os
import signal
from pathlib import Path

import pytest

from lab.world.castles import write_castle
from rebirth.errors import Broken
from rebirth.lab import telling, up
from rebirth.lab.ca import Authority
from rebirth.lab.control import Control
from rebirth.lab.enter import environment
from rebirth.lab.state import STATE_VARIABLE, LabState
from rebirth.lab.systems.faults import Faults
from rebirth.lab.systems.servers import Servers


def test_each_step_is_said_once_and_its_parts_now_and_then():
    said: list[str] = []
    progress = up.Progress("demo", said.append)
    for second, doing in enumerate(
        ["", "reading", "", "reading", *(f"packing: {n} of 9" for n in range(1, 10)), "waiting for Vault"]
    ):
        progress(doing, float(second))
    assert said == [
        "lab demo: reading",
        "lab demo: packing: 1 of 9",
        "lab demo: packing: 6 of 9",
        "lab demo: waiting for Vault",
    ]


LABS = [
    {
        "name": "a",
        "state": "up",
        "castle": "/c",
        "systems": {"openbao": "Running"},
        "machines": {"w1": False},
        "devices": ["d.ts.net"],
    },
    {"name": "b", "state": "starting", "doing": "setting up the network"},
    {"name": "c", "state": "crashed"},
]


def test_labs_are_described_for_people():
    lines = telling.described(LABS).splitlines()
    assert lines[0] == "lab a: up"
    assert "  machine  w1        off" in lines
    assert "  system   openbao   Running" in lines
    assert "lab b: starting: setting up the network" in lines
    assert lines[-1] == "  `rebirth lab down c` removes what it left"
    assert not [line for line in lines if line.endswith((":", " "))]


def test_where_there_is_none():
    assert telling.described([]) == "no lab is here"


@pytest.fixture
async def running(tmp_path, short_path, monkeypatch):
    """A lab that is up as far as can be seen from outside, for the castle in `castle`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(short_path))
    state, castle = LabState("demo"), tmp_path / "castle"
    castle.mkdir()
    state.folder.mkdir(parents=True)
    (state.folder / "castle").write_text(str(castle))
    pid = os.posix_spawnp("sleep", ["sleep", "60"], {**os.environ, STATE_VARIABLE: str(state.folder)})
    state.record(pid)

    async def describe() -> dict[str, str]:
        return {}

    async def take() -> dict[str, str]:
        return {"https://git.example/a.git": "0123456789"}

    servers = Servers(Authority("lab"), tmp_path / "tls", tmp_path)
    await servers.start_local(Control(describe, take, describe, Faults(), None, None).app(), state.socket)
    yield state, castle
    await servers.stop()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


async def test_another_castle_is_told_apart(running, tmp_path):
    with pytest.raises(Broken, match="another castle"):
        await up.up("demo", tmp_path, print)


async def test_a_changed_lab_yaml_is_said_to_count_later(running):
    _, castle = running
    said: list[str] = []
    await up.up("demo", castle, said.append)
    assert said == []
    (castle / "lab.yaml").write_text("version: 1\n")
    await up.up("demo", castle, said.append)
    assert "lab.yaml has changed" in said[0]
    assert "rebirth lab down demo" in said[0]


async def test_an_optional_component_that_came_into_use_is_said_to_count_later(running):
    state, castle = running
    (state.folder / "components").write_text("etcd")
    (castle / "issuer.yaml").write_text(
        "server: https://acme-v02.api.letsencrypt.org/directory\n# ghcr.io/fluxcd/source-controller\n"
    )
    said: list[str] = []
    await up.up("demo", castle, said.append)
    assert "now uses pebble, too" in said[0]
    (state.folder / "components").write_text("etcd pebble")
    await up.up("demo", castle, said.append)
    assert len(said) == 1


async def test_what_the_git_host_takes_is_said(running):
    state, _ = running
    state.record_repositories({"https://git.example/a.git": Path("/the/folder")})
    said: list[str] = []
    await up.take(state, said.append)
    assert said == ["lab demo: https://git.example/a.git now serves /the/folder as it is: 0123456"]


async def test_a_program_inside_is_told_what_is_served(running, monkeypatch, paper_go):
    state, castle = running
    write_castle(castle)
    monkeypatch.setenv("REBIRTH_REPOSITORY", "/of/somebody/else")
    assert "REBIRTH_REPOSITORY" not in await environment(state)
    state.record_repositories({"https://github.com/tazlab/tazlab-k8s.git": castle / "gitops"})
    found = await environment(state)
    assert found["REBIRTH_REPOSITORY"] == str(castle / "gitops")
    assert found["PATH"].startswith(f"{state.programs}:"), "the lab's own programs come first"
