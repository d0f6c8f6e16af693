"""The journal: what a killed run leaves, and what may be done only once."""

import subprocess
import sys
from dataclasses import dataclass

import pytest

from rebirth.errors import Broken
from rebirth.run.facts import Fact, InMemory
from rebirth.run.journal import Journal, Once


@dataclass(frozen=True)
class Dug(Fact):
    depth: int
    by: dict[str, int]


@dataclass(frozen=True)
class Whispered(InMemory):
    word: str


def test_remembers_across_runs(tmp_path):
    with Journal(tmp_path) as journal:
        journal.remember("dig", Dug(3, {"spade": 1}), "f1")
        journal.remember("whisper", Whispered("hush"), "f1")
    with Journal(tmp_path) as journal:
        assert journal.recall("dig", Dug, "f1") == Dug(3, {"spade": 1})
        assert journal.recall("dig", Dug, "f2") is None
        assert journal.recall("dig", Dug) == Dug(3, {"spade": 1})
        assert not journal.knows("whisper")
    assert "hush" not in journal.file.read_text()


def test_a_torn_last_line_is_dropped(tmp_path):
    with Journal(tmp_path) as journal:
        journal.remember("dig", Dug(3, {}), "f1")
    whole = journal.file.read_bytes()
    for cut in range(len(whole)):
        journal.file.write_bytes(whole + whole[:cut])
        with Journal(tmp_path) as again:
            assert again.recall("dig", Dug, "f1") == Dug(3, {})
            again.remember("dig", Dug(4, {}), "f2")
        with Journal(tmp_path) as again:
            assert again.recall("dig", Dug, "f2") == Dug(4, {})


def test_a_fact_of_another_shape_is_not_recalled(tmp_path):
    with Journal(tmp_path) as journal:
        journal.remember("dig", Dug(3, {}), "f1")
        journal.file.write_text(journal.file.read_text().replace('"depth": 3', '"deep": 3'))
    with Journal(tmp_path) as journal:
        assert journal.recall("dig", Dug, "f1") is None


def test_one_run_at_a_time(tmp_path):
    program = (
        "import sys,pathlib; from rebirth.run.journal import Journal; Journal(pathlib.Path(sys.argv[1])).__enter__()"
    )
    with Journal(tmp_path):
        other = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
    assert "another run holds" in other.stderr
    with Journal(tmp_path), pytest.raises(Broken, match="another run"), Journal(tmp_path):
        pass


@pytest.mark.parametrize("killed", ["before", "between", "after"])
async def test_once(tmp_path, killed):
    world = []

    async def act():
        world.append("bootstrapped")

    async def done():
        return bool(world)

    with Journal(tmp_path) as journal:
        if killed != "before":
            journal.begin("etcd")
        if killed == "after":
            world.append("bootstrapped")
        await Once(journal)("etcd", act, done)
    with Journal(tmp_path) as journal:
        await Once(journal)("etcd", act, done)
    assert world == ["bootstrapped"]


async def test_once_more_where_the_world_is_gone(tmp_path):
    world = []

    async def act():
        world.append("bootstrapped")

    async def done():
        return bool(world)

    for _ in range(2):
        with Journal(tmp_path) as journal:
            Once(journal).forget("nothing of that kind")
            await Once(journal)("etcd", act, done)
            world.clear()
            Once(journal).forget("etcd")
        with Journal(tmp_path) as journal:
            assert journal.progress("etcd") is None
            await Once(journal)("etcd", act, done)
            assert world == ["bootstrapped"]
            Once(journal).forget("etcd")
