"""The history of a castle: its runs and drills, in a picture and in words."""

import pytest

from rebirth import events as e
from rebirth.report import drills
from rebirth.report.drills import Round, Struck
from rebirth.report.history import history, section
from rebirth.report.page import render
from rebirth.report.timeline import read
from report.test_page import parsed

PHASES = ("create_machines", "visit_sites")


def went(record, number, online, *, ok=True):
    """A recorded create that was online after that many seconds."""
    since = 1_800_000_000.0 + 3600 * number
    course = [e.RunStarted("tower", "create", PHASES, at=since), e.PhaseReady("visit_sites", at=since)]
    end = e.PhaseDone("visit_sites", at=since + online) if ok else e.PhaseFailed("visit_sites", "x", at=since + online)
    return record(f"2027{number:04}", [*course, end, e.RunFinished(ok=ok, at=since + online + 1)])


@pytest.fixture
def logs(record, tmp_path):
    """Ten runs that came online, the last five faster, and one that failed."""
    for number in range(10):
        went(record, number, 120.0 if number < 5 else 90.0)
    went(record, 10, 30.0, ok=False)
    return tmp_path / "logs"


def test_every_run_is_a_point_and_the_trend_is_in_words(logs):
    found = history(logs)
    assert [point.online for point in found.points] == [120.0] * 5 + [90.0] * 5 + [None]
    assert found.trend.endswith("online after 90 s in the median, the 5 before after 120 s: 25 % faster")


def test_too_few_runs_have_no_trend(record, tmp_path):
    for number in range(9):
        went(record, number, 100.0)
    assert history(tmp_path / "logs").trend == ""


def test_it_is_on_the_page_of_a_run_with_its_drills(logs):
    drills.begin(logs, "night", lab=True)
    met = (Struck("proxmox is slow", 2), Struck("git is slow", 0))
    drills.add(logs, "night", Round(1, 1.0, True, {"online": 91.5}, "again", met))
    page = parsed(render(read(logs / "20270009"), {}, None, history(logs)))
    words = " ".join(" ".join(page.words).split())
    assert "10 runs came online, in the median after 105 s; 1 failed (hatched)" in words
    assert "night (lab) 1 1 91.5 s 91.5 s 1 1" in words
    assert len([attrs for tag, attrs in page.seen if tag == "circle"]) == 11
    for tag, attrs in page.seen:
        if tag == "circle":
            assert 0 < float(attrs["cx"]) < 900
            assert 0 < float(attrs["cy"]) < 190


def test_a_single_run_has_no_history(record, course, tmp_path):
    record("one", course)
    assert section(history(tmp_path / "logs")) == ""
