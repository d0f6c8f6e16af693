"""A drill, with what answers for its commands: rounds, faults, failures, and that it goes on where it was."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from rebirth.drill.drill import Asked, Course
from rebirth.drill.faults import SETS, Fault, drawn
from rebirth.errors import SpecError
from rebirth.report import drills
from standins.programs import Exit, Programs


class Lab:
    """A lab that is told what to break; whatever is broken is met twice."""

    def __init__(self, folder: Path) -> None:
        self.name, self.folder = "tower", folder
        self.broken: dict[str, dict] = {}
        self.told: list[tuple[str, dict]] = []
        self.ups = 0

    async def up(self) -> None:
        self.ups += 1

    async def strike(self, system, fault):
        self.told.append((system, dict(fault)))
        self.broken[system] = dict(fault)

    async def mend(self):
        met, self.broken = dict.fromkeys(self.broken, 2), {}
        return met

    def processes(self):
        return []


class Castle:
    """What rebirth's commands say of a castle; `fails` names commands that fail, by how many times."""

    def __init__(self) -> None:
        self.fails: dict[str, int] = {}
        self.lasts: dict[str, float] = {}
        self.said: list[str] = []

    async def rebirth(self, call) -> str:
        command = call.argv[3]
        self.said.append(command)
        await asyncio.sleep(self.lasts.get(command, 0))
        if self.fails.get(command, 0) > 0:
            self.fails[command] -= 1
            raise Exit(1, f"error: {command} went wrong\nhint: look")
        return json.dumps({"online": 90.0 + len(self.said), "logs": "/castle/logs/one", "ok": True})


@pytest.fixture
def castle():
    return Castle()


@pytest.fixture
def course(tmp_path, castle):
    """course(lab, name=..., rounds=...) -> one that is ready to run; what it says is in course.lines."""

    def made(lab=None, name="one", **asked):
        programs = Programs(**{sys.executable: castle.rebirth})
        asked = Asked(tmp_path, **{"rounds": 1} | asked)
        made.programs = programs
        return Course(asked, name, tmp_path / "logs", programs, lab, made.lines.append)

    made.lines = []
    return made


async def test_each_round_is_destroy_create_verify(course, castle, tmp_path):
    done = await course(Lab(tmp_path), rounds=3).run()
    assert castle.said == ["destroy", "create", "verify"] * 3
    assert (done.survived, [one.number for one in done.rounds]) == (3, [1, 2, 3])
    assert set(done.figures()) == {"destroy", "online", "create", "verify"}
    for call in course.programs.calls:
        assert {"--lab", "--lab-name=tower"} <= set(call.argv)
    assert all("--yes" in call.argv for call in course.programs.calls if call.argv[3] == "destroy")


async def test_on_real_systems_nothing_of_the_lab_is_said(course):
    await course().run()
    assert not [word for call in course.programs.calls for word in call.argv if "lab" in word]


async def test_on_real_systems_the_first_failure_is_the_end(course, castle):
    castle.fails = {"verify": 1}
    done = await course(rounds=5).run()
    assert (len(done.rounds), done.survived) == (1, 0)
    assert castle.said == ["destroy", "create", "verify"]


async def test_in_the_lab_a_failure_is_recorded_with_what_repeats_it_and_the_drill_goes_on(course, castle, tmp_path):
    castle.fails = {"create": 1}
    done = await course(Lab(tmp_path), rounds=2, faults="refusing", seed=4).run()
    (failure,) = done.failed
    assert (failure.number, failure.failed, done.survived) == (1, "create", 1)
    assert "create went wrong" in failure.error
    assert failure.repeat == f"rebirth drill {tmp_path} -n 1 --lab --faults refusing --seed 4 --first 1"
    assert castle.said == ["destroy", "create", "destroy", "create", "verify"]
    assert [struck.met for struck in failure.faults] == [2] * len(failure.faults), "met, though create failed"
    assert failure.faults


async def test_what_repeats_a_failure_names_the_lab_that_was_named(course, castle, tmp_path):
    castle.fails = {"destroy": 1}
    (failure,) = (await course(Lab(tmp_path), faults="slow", seed=4, lab_name="second").run()).failed
    assert failure.repeat == f"rebirth drill {tmp_path} -n 1 --lab --lab-name second --faults slow --seed 4 --first 1"


async def test_what_repeats_a_round_draws_the_same_faults(course, tmp_path):
    lab, again = Lab(tmp_path), Lab(tmp_path)
    await course(lab, rounds=6, faults="all", seed=9).run()
    await course(again, "two", rounds=1, first=6, faults="all", seed=9).run()
    last = [(fault.system, dict(fault.body)) for fault in drawn("all", 9, 6) if fault.system]
    assert again.told == last
    assert lab.told[-len(last) :] == last
    assert lab.broken == {}, "mended at the end"


async def test_faults_are_there_while_it_is_created_and_at_no_other_time(course, castle, tmp_path):
    lab, seen = Lab(tmp_path), []
    answer = castle.rebirth

    async def watched(call):
        seen.append((call.argv[3], bool(lab.broken)))
        return await answer(call)

    castle.rebirth = watched
    await course(lab, rounds=3, faults="slow", seed=1).run()
    assert seen == [("destroy", False), ("create", True), ("verify", False)] * 3


async def test_a_drill_that_was_killed_goes_on_where_it_was(course, castle, tmp_path):
    castle.lasts = {"verify": 3600.0}
    lab = Lab(tmp_path)
    first = course(lab, rounds=2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await first.run()
    castle.lasts, castle.said = {}, []
    done = await course(lab, rounds=2).run()
    assert castle.said == ["destroy", "create", "verify"] * 2, "its first round had no end, and is done again"
    castle.said = []
    done = await course(lab, rounds=3).run()
    assert castle.said == ["destroy", "create", "verify"], "only what is not recorded"
    assert [one.number for one in done.rounds] == [1, 2, 3]


def test_a_torn_line_is_no_round(tmp_path):
    drills.begin(tmp_path, "one", lab=True)
    file = drills.file_of(tmp_path, "one")
    file.write_text(file.read_text() + '{"number": 1, "at"')
    assert drills.read(file).rounds == ()


async def test_a_create_that_is_killed_is_run_again(course, castle, tmp_path):
    lab = Lab(tmp_path)
    castle.lasts = {"create": 0.05}
    made = course(lab)
    soon = Fault("create is killed", kill=0.01)
    answer, struck = await made._create((soon,), {})
    assert castle.said == ["create", "create"]
    assert (answer["ok"], [one.met for one in struck]) == (True, [1])


def test_a_set_that_is_none_is_named():
    with pytest.raises(SpecError, match="no such set: earthquake"):
        drawn("earthquake", 0, 1)


@pytest.mark.parametrize("name", [name for name in SETS if name != "none"])
def test_every_set_breaks_something_within_ten_rounds(name):
    assert any(drawn(name, 0, number) for number in range(1, 11))
    assert not [fault for number in range(99) for fault in drawn("none", 0, number)]


async def test_it_is_compared_with_the_rounds_before_it(course, castle, tmp_path):
    await course(name="a", rounds=4).run()
    before = drills.earlier(tmp_path / "logs", await course(name="b", rounds=2).run())
    assert [one.number for one in before] == [1, 2, 3, 4]
    done = drills.read(drills.file_of(tmp_path / "logs", "b"))
    figures = done.figures(before)["online"]
    assert (
        figures.before
        == sorted(one.seconds["online"] for one in before)[1] / 2
        + sorted(one.seconds["online"] for one in before)[2] / 2
    )
    text = "\n".join(drills.text(done, before))
    assert "2 of 2 rounds went well" in text
    assert f"{figures.before:.1f} s" in text


def test_the_95th_percentile_is_one_that_was_measured():
    rounds = tuple(drills.Round(number, 0.0, True, {"verify": float(number)}, "") for number in range(1, 21))
    figures = drills.Drill("x", True, rounds).figures()["verify"]
    assert (figures.median, figures.p95, figures.worst) == (10.5, 19.0, 20.0)


async def test_what_leaks_is_told(course, tmp_path):
    lab = Lab(tmp_path)
    data = drills.as_data(await course(lab, rounds=2).run())
    counted = {"memory, MiB", "processes", "open files", "inotify instances", "namespaces", "files of the lab"}
    programs = data["resources"].keys() - counted
    assert counted <= data["resources"].keys()
    assert programs
    assert all(name.startswith("memory of ") and name.endswith(", MiB") for name in programs)
    parts = [data["resources"][name]["after"] for name in programs]
    assert abs(sum(parts) - data["resources"]["memory, MiB"]["after"]) <= len(parts), "rounded"
    assert data["resources"]["open files"]["before"] > 0
    with (tmp_path / "leak").open("w"):
        lab.folder.joinpath("more").write_text("")
        done = await course(lab, rounds=3).run()
    for name in ("open files", "files of the lab"):
        before, after = done.resources()[name]
        assert after > before


def test_what_the_first_of_three_rounds_warms_up_is_no_leak():
    held = ({"processes": 1}, {"processes": 5}, {"processes": 5})
    rounds = [drills.Round(number, 0.0, True, {}, "", resources=one) for number, one in enumerate(held, 1)]
    assert drills.Drill("x", True, tuple(rounds)).resources() == {"processes": (5, 5)}
    assert drills.Drill("x", True, tuple(rounds[:2])).resources() == {"processes": (1, 5)}
    assert drills.Drill("x", True, tuple(rounds[:1])).resources() == {}
