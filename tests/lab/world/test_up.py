"""What a lab says while it starts, and when it is up already."""

import pytest

from rebirth.errors import Broken
from rebirth.lab import telling, up
from rebirth.lab.state import LabState


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
    {"name": "b", "state": "starting", "doing": "laying the network"},
    {"name": "c", "state": "crashed"},
]


def test_labs_are_described_for_people():
    lines = telling.described(LABS).splitlines()
    assert lines[0] == "lab a: up"
    assert "  machine  w1        off" in lines
    assert "  system   openbao   Running" in lines
    assert "lab b: starting: laying the network" in lines
    assert lines[-1] == "  `rebirth lab down c` removes what it left"
    assert not [line for line in lines if line.endswith((":", " "))]


def test_where_there_is_none():
    assert telling.described([]) == "no lab is here"


@pytest.fixture
def running(tmp_path, monkeypatch):
    """A lab that is up as far as its folder says, for the castle in `castle`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    state, castle = LabState("demo"), tmp_path / "castle"
    castle.mkdir()
    state.folder.mkdir(parents=True)
    (state.folder / "castle").write_text(str(castle))
    return state, castle


async def test_another_castle_is_told_apart(running, tmp_path):
    state, _ = running
    with pytest.raises(Broken, match="another castle"):
        await up._same(state, tmp_path, print)
