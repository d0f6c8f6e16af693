"""Recorded runs: chosen, compared, listed, and their logs."""

import json
import shutil
from pathlib import Path

import pytest

from rebirth import events as e
from rebirth.errors import SpecError
from rebirth.report import recorded, show

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle" / "castle.yaml"


@pytest.fixture
def logs(record, course, later, tmp_path):
    """Three runs of create, the last of which changed nothing, and one of status."""
    since = course[0].at
    record("20270101T000000Z", course)
    record("20270102T000000Z", later(course, 10))
    nothing = [course[0], e.PhaseHolds("resolve", at=since), e.RunFinished(ok=True, at=since + 0.4)]
    record("20270103T000000Z", nothing)
    record("20270103T000001Z", [e.RunStarted("tower", "status", (), at=since), e.RunFinished(ok=False, at=since + 1)])
    shutil.copy(EXAMPLE, tmp_path)
    return tmp_path / "logs"


def test_without_a_name_the_last_run_that_did_something_is_meant(logs):
    assert recorded.chosen(logs).name == "20270102T000000Z"


@pytest.mark.parametrize("wanted", ["20270101", "20270101T000000Z"])
def test_the_beginning_of_a_time_is_enough(logs, wanted):
    assert recorded.chosen(logs, wanted).name == "20270101T000000Z"


def test_a_name_that_may_mean_several_runs(logs):
    with pytest.raises(SpecError, match="20270103 matches several runs: 20270103T000000Z, 20270103T000001Z"):
        recorded.chosen(logs, "20270103")


def test_a_name_that_means_none(logs):
    with pytest.raises(SpecError, match="no such run: 1999") as caught:
        recorded.chosen(logs, "1999")
    assert "--list" in caught.value.hint


def test_the_list_has_every_run(logs, capsys):
    show.report(logs.parent, "text", as_list=True)
    lines = [line.split(None, 2) for line in capsys.readouterr().out.splitlines()]
    assert [(line[0], line[1], line[2].split("  ")[0]) for line in lines[1:]] == [
        ("20270101T000000Z", "create", "done"),
        ("20270102T000000Z", "create", "done"),
        ("20270103T000000Z", "create", "nothing to do"),
        ("20270103T000001Z", "status", "failed"),
    ]
    show.report(logs.parent, "json", as_list=True)
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == 1
    assert [run["online"] for run in found["runs"]] == [9.0, 9.0, None, None]


def test_the_run_that_is_compared_with_is_chosen(logs, capsys):
    show.report(logs.parent, "text", run="20270101")
    assert "compared with" not in capsys.readouterr().out
    show.report(logs.parent, "text", run="20270101", against="20270102")
    assert "compared with the run of 2027-01-15 08:00:10 UTC" in capsys.readouterr().out


def test_json_names_its_version_and_run(logs, capsys):
    show.report(logs.parent, "json")
    found = json.loads(capsys.readouterr().out)
    assert (found["version"], found["run"], found["online"]) == (1, "20270102T000000Z", 9.0)


def test_logs_are_merged_by_time_over_midnight_and_traces_stay_whole(logs, capsys):
    folder = logs / "20270104T235900Z"
    folder.mkdir()
    (folder / "boot.log").write_text("23:59:01.000 started\n00:00:01.000 FAILED: x\nTraceback:\n  deep\n")
    (folder / "dig.log").write_text("23:59:30.000 started\n00:00:02.000 done\n")
    show.logs(logs.parent, "", "")
    out, err = capsys.readouterr()
    assert err == f"{folder}\n"
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "23:59:01.000 boot started",
        "23:59:30.000 dig started",
        "00:00:01.000 boot FAILED: x",
        "Traceback:",
        "deep",
        "00:00:02.000 dig done",
    ]


def test_one_steps_log(logs, capsys, monkeypatch):
    folder = logs / "20270104T000000Z"
    folder.mkdir()
    (folder / "converge.log").write_text("00:00:01.000 started\n")
    show.logs(logs.parent, "converge", "20270104")
    assert capsys.readouterr().out == "00:00:01.000 started\n"
    monkeypatch.chdir(logs.parent)
    show.logs(Path("converge"), "", "")  # no such directory: the step is meant
    assert capsys.readouterr().out == "00:00:01.000 started\n"
    with pytest.raises(SpecError, match="no log of boot") as caught:
        show.logs(logs.parent, "boot", "")
    assert caught.value.hint == "There are logs of converge."
