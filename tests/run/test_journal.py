"""The journal: what a killed run leaves, and what may be done only once."""

import asyncio
import os
import re
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


def bad(tmp_path, content: bytes) -> str:
    (tmp_path / "journal.jsonl").write_bytes(content)
    with pytest.raises(Broken) as caught, Journal(tmp_path):
        pass
    assert (tmp_path / "journal.jsonl").read_bytes() == content, "nothing is thrown away"
    assert "mv " in caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b'"kind"',
        b"{}garbage",
        b'{"kind": "fact"}',
        b'{"kind": "fact", "phase": "dig", "fingerprint": "f", "fact": 3}',
        b'{"kind": "begun"}',
        b'{"kind": ["begun"]}',
        b'{"phase": "dig"}',
    ],
)
@pytest.mark.parametrize("writes", [True, False])
def test_a_line_that_is_no_entry_is_named_and_nothing_behind_it_is_forgotten(tmp_path, line, writes):
    good = b'{"kind": "ended", "what": "etcd"}\n'
    for content, number in ((good + line + b"\n" + good, 2), (line + b"\n", 1)):
        assert bad(tmp_path, content) == f"{tmp_path}/journal.jsonl:{number}: is not a journal entry"
        with pytest.raises(Broken, match="not a journal entry"), Journal(tmp_path, writes=writes):
            pass
    (tmp_path / "journal.jsonl").write_bytes(good + line)
    with Journal(tmp_path, writes=writes) as journal:
        assert journal.progress("etcd") == "ended"


def test_what_a_later_version_writes_besides_is_left_alone(tmp_path):
    (tmp_path / "journal.jsonl").write_text('{"kind": "moved", "to": "x"}\n')
    with Journal(tmp_path) as journal:
        journal.begin("etcd")
    assert len(journal.file.read_text().splitlines()) == 2


def test_a_state_that_is_no_folder_and_a_journal_that_is_one(tmp_path):
    (tmp_path / "state").write_text("")
    with (
        pytest.raises(Broken, match=r"state/real: open the journal: Not a directory"),
        Journal(tmp_path / "state/real"),
    ):
        pass
    with pytest.raises(Broken, match=r"state: open the journal: File exists"), Journal(tmp_path / "state"):
        pass
    with pytest.raises(Broken, match="Not a directory"), Journal(tmp_path / "state", writes=False):
        pass
    for writes in (True, False):
        (tmp_path / "other" / "journal.jsonl").mkdir(parents=True, exist_ok=True)
        with (
            pytest.raises(Broken, match=r"journal\.jsonl: open the journal: a directory, not a file"),
            Journal(tmp_path / "other", writes=writes),
        ):
            pass


def test_one_run_at_a_time_and_the_other_is_named(tmp_path):
    program = (
        "import sys,pathlib; from rebirth.run.journal import Journal; Journal(pathlib.Path(sys.argv[1])).__enter__()"
    )
    with Journal(tmp_path, "create"):
        other = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
        assert re.search(
            rf"`rebirth create` \(pid {os.getpid()}, since \d\d:\d\d\) is at work on this castle", other.stderr
        )
    with Journal(tmp_path), pytest.raises(Broken, match=r"^another run \(pid .*\) is at work"), Journal(tmp_path):
        pass
    with Journal(tmp_path):
        (tmp_path / "lock").write_text("")  # between taking it and saying who
        with pytest.raises(Broken, match=r"^another run is at work"), Journal(tmp_path):
            pass
    with Journal(tmp_path):
        pass


def test_a_killed_run_leaves_no_lock(tmp_path):
    program = "import os,sys,pathlib; from rebirth.run.journal import Journal; Journal(pathlib.Path(sys.argv[1]),'create').__enter__(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert "create" in (tmp_path / "lock").read_text()
    with Journal(tmp_path):
        pass


def test_reading_takes_no_lock_and_makes_no_file(tmp_path):
    with Journal(tmp_path / "state", writes=False) as journal:
        journal.remember("dig", Dug(3, {}), "f1")
        assert journal.recall("dig", Dug, "f1") == Dug(3, {}), "for as long as it is open"
    assert not list(tmp_path.iterdir())

    with Journal(tmp_path) as writer:
        writer.remember("dig", Dug(3, {}), "f1")
        before = [(file, file.read_bytes()) for file in sorted(tmp_path.iterdir())]
        with Journal(tmp_path, writes=False) as journal:
            assert journal.recall("dig", Dug, "f1") == Dug(3, {})
            journal.remember("dig", Dug(4, {}), "f1")
        assert [(file, file.read_bytes()) for file in sorted(tmp_path.iterdir())] == before


def test_reading_leaves_a_line_that_is_being_written(tmp_path):
    content = b'{"kind": "ended", "what": "etcd"}\n{"kind": "en'
    (tmp_path / "journal.jsonl").write_bytes(content)
    with Journal(tmp_path, writes=False) as journal:
        assert journal.progress("etcd") == "ended"
    assert journal.file.read_bytes() == content


@pytest.mark.parametrize("journaled", [True, False])
async def test_once_asks_the_world_where_the_journal_does_not_know(tmp_path, journaled):
    acted = []

    async def act():
        acted.append(1)

    async def done():
        return True

    with Journal(tmp_path) as journal:
        if journaled:
            journal.begin("etcd")
        await Once(journal)("etcd", act, done)
        assert journal.progress("etcd") == "ended"
    assert not acted


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


async def test_once_that_never_shows_has_not_ended(tmp_path):
    """Who was asked said yes, and did nothing: the next run asks again."""
    acted = []

    async def act():
        acted.append(1)

    async def done():
        return len(acted) > 1

    with Journal(tmp_path) as journal:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await Once(journal)("etcd", act, done)
        assert journal.progress("etcd") == "begun"
    with Journal(tmp_path) as journal:
        await Once(journal)("etcd", act, done)
        assert journal.progress("etcd") == "ended"


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


def test_who_asks_the_world_anyway_may_pass_over_what_is_no_entry(tmp_path):
    (tmp_path / "journal.jsonl").write_bytes(b'\xff\n{}\n{"kind": "ended", "what": "etcd"}\n')
    with Journal(tmp_path, lenient=True) as journal:
        assert journal.progress("etcd") == "ended"
    assert len(journal.file.read_bytes().splitlines()) == 3
