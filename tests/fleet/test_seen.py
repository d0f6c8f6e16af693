"""Why a job waits, in the words of the status and of the page; and whom they believe."""

import pytest

from rebirth.fleet.engine import Row
from rebirth.fleet.job import Job
from rebirth.fleet.place import Place, this_machine
from rebirth.fleet.seen import seen


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def row(name="one", state="waiting", worker="", **more):
    return Row(Job(name, "check", "/nowhere", more.pop("castle", "tower"), **more), state, worker, 0.0)


def why(place, *rows):
    """Of the first."""
    return seen(place, rows)[0].why


def test_nobody_is_there_to_do_it(place):
    assert why(place, row()) == "no worker runs"
    with place.present("w"):
        assert why(place, row()) == "a worker is about to take it"


def test_nobody_is_there_on_the_machine_that_it_is_for(place):
    with place.present("w"):
        assert why(place, row(machine="elsewhere")) == "no worker runs on elsewhere"
        assert why(place, row(machine=this_machine())) == "a worker is about to take it"


def test_all_that_could_do_it_are_busy(place):
    with place.present("a"), place.present("b"):
        busy = [row("two", "running", "a", castle="cove"), row("three", "running", "b", castle="keep")]
        assert why(place, row(), *busy) == "every worker is busy: a at two, b at three"
        assert why(place, row(), busy[0]) == "a worker is about to take it"


def test_a_worker_at_a_job_for_its_machine_has_a_hand_for_one_for_any(place):
    with place.present("a"):
        lab = row("two", "running", "a", castle="cove", machine=this_machine())
        assert why(place, row(), lab) == "a worker is about to take it"
        assert why(place, row(machine=this_machine()), lab) == "every worker is busy: a at two"


def test_another_is_at_work_on_its_castle(place):
    other = row("two", "running", "w")
    with place.present("w"), place.locked(other.job):
        assert why(place, row(), other) == "tower is worked on by two"
        assert why(place, row(castle="cove"), other) == "every worker is busy: w at two"


def test_a_name_that_a_killed_worker_has_left_holds_no_castle(place):
    """Its job was cancelled after that: nobody works on the castle."""
    with place.locked(row("two").job):
        pass
    (lock,) = (place.folder / "locks").iterdir()
    lock.write_text("two")
    assert why(place, row(), row("two", "cancelled", "w")) == "no worker runs"


def test_its_worker_has_died(place):
    place.account("one").write("started", "dead")
    with place.present("w"):
        assert why(place, row(state="running", worker="dead")) == "its worker dead has died; another takes it up"


def test_its_worker_has_not_begun_it(place):
    with place.present("w"):
        assert why(place, row(state="running", worker="w")) == "its worker begins"
        place.account("one").write("started", "w")
        (one,) = seen(place, [row(state="running", worker="w")])
        assert (one.why, one.state) == ("", "running")


def test_the_account_is_believed_before_the_engine(place):
    """It has ended, though the engine hands it out once more, or has lost it."""
    place.account("one").write("ended", "w", outcome="done", code=0)
    for state in ("waiting", "running", "lost", "cancelled"):
        (one,) = seen(place, [row(state=state)])
        assert (one.why, one.state) == ("", "done")
