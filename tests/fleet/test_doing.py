"""One job, done once: whatever the engine says, and whenever it is interrupted."""

import asyncio
import json
import threading
import time

import pytest

from rebirth.commands import Commands
from rebirth.errors import Broken, NotYet
from rebirth.fleet.doing import Doing
from rebirth.fleet.job import Job
from rebirth.fleet.kinds import KINDS, Kind
from rebirth.fleet.place import Place, this_machine
from rebirth.secrets import Redaction

# What a job of this kind does: it says that it has begun, lasts as long as its seed says, and ends by itself when it is asked to.
PROGRAM = """
import pathlib, signal, sys, time
folder, seconds = pathlib.Path(sys.argv[1]), int(sys.argv[2]) / 10
signal.signal(signal.SIGTERM, lambda *_: (folder.joinpath("ended-cleanly").touch(), sys.exit(143)))
with folder.joinpath("begun").open("a") as begun:
    begun.write("x")
time.sleep(seconds)
print('{"ok": true}')
"""


@pytest.fixture
def kind(monkeypatch):
    made = Kind("sleep", lambda job: [job.directory, str(job.seed)], lambda _: "slept", program=("-c", PROGRAM))
    monkeypatch.setitem(KINDS, "sleep", made)
    return made


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "fleet")


@pytest.fixture
def job(tmp_path, kind):
    def made(name="one", castle="tower", tenths=0):
        (tmp_path / name).mkdir(exist_ok=True)
        return Job(f"job-{name}", kind.name, str(tmp_path / name), castle, seed=tenths)

    return made


def doing(place, worker="w", states=None):
    return Doing(place, worker, lambda job: (states or {}).get(job, "running"), Commands(Redaction()))


def begun(job):
    """How often its program was started."""
    from pathlib import Path

    file = Path(job.directory) / "begun"
    return len(file.read_text()) if file.exists() else 0


def until(true):
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_is_done_and_accounted_for(place, job):
    one = job()
    assert doing(place).do(one) == {"outcome": "done", "code": 0}
    assert [entry.what for entry in place.account(one.id).entries()] == ["started", "ended"]
    assert place.account(one.id).answered() == {"ok": True}


def test_what_has_ended_is_not_done_again(place, job):
    one = job()
    doing(place).do(one)
    assert doing(place, "another").do(one) == {"outcome": "done", "code": 0}
    assert begun(one) == 1


def test_two_that_have_the_same_job_do_it_once(place, job):
    """dbos-transact-py#742: a recovery that is out of date runs what another runs already."""
    one, answers = job(tenths=5), []
    threads = [threading.Thread(target=lambda w=w: answers.append(doing(place, w).do(one))) for w in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"outcome": "done", "code": 0}] * 2
    assert begun(one) == 1
    assert [entry.what for entry in place.account(one.id).entries()] == ["started", "ended"]


def test_of_two_jobs_on_one_castle_one_waits(place, job):
    first, second = job("one", tenths=5), job("two")
    thread = threading.Thread(target=doing(place, "a").do, args=(first,))
    thread.start()
    until(lambda: begun(first))
    assert place.holder("tower") == first.id
    doing(place, "b").do(second)
    thread.join()
    (_, ended), (started, _) = place.account(first.id).entries(), place.account(second.id).entries()
    assert ended.at <= started.at


def test_jobs_on_two_castles_do_not_wait_for_each_other(place, job):
    first, second = job("one", tenths=20), job("two", castle="cove")
    thread = threading.Thread(target=doing(place, "a").do, args=(first,))
    thread.start()
    until(lambda: begun(first))
    doing(place, "b").do(second)
    assert thread.is_alive()
    thread.join()


def test_the_same_castle_in_two_labs_is_two(tmp_path):
    one, other = (Job("j", "create", str(tmp_path), "tower", machine=name, lab=True) for name in ("a", "b"))
    assert one.key != other.key


def test_a_job_that_is_cancelled_while_it_runs_ends_cleanly_and_may_be_resumed(place, job, tmp_path):
    one, states = job(tenths=600), {}
    answers = []
    thread = threading.Thread(target=lambda: answers.append(doing(place, states=states).do(one)))
    thread.start()
    until(lambda: begun(one))
    states[one.id] = "cancelled"
    thread.join(10)
    assert answers == [{"outcome": "cancelled", "code": 143}]
    assert (tmp_path / "one" / "ended-cleanly").exists()
    assert place.account(one.id).end is None
    object.__setattr__(one, "seed", 0)
    assert doing(place).do(one)["outcome"] == "done"
    assert [entry.what for entry in place.account(one.id).entries()] == ["started", "cancelled", "started", "ended"]


def test_a_job_that_was_cancelled_before_is_not_begun(place, job):
    one = job()
    assert doing(place, states={one.id: "cancelled"}).do(one)["outcome"] == "cancelled"
    assert begun(one) == 0


def test_who_cannot_ask_whether_it_is_cancelled_goes_on(place, job):
    def deaf(_):
        raise Broken("the database does not answer")

    one = job(tenths=10)
    assert Doing(place, "w", deaf, Commands(Redaction())).do(one)["outcome"] == "done"


def test_a_worker_that_is_asked_to_end_ends_its_command_and_says_nothing_to_the_engine(place, job):
    one, hand, answers = job(tenths=600), doing(place), []
    threading.Thread(target=lambda: answers.append(hand.do(one)), daemon=True).start()
    until(lambda: begun(one))
    hand.stopping.set()
    until(lambda: not hand.running)
    assert [entry.what for entry in place.account(one.id).entries()] == ["started", "interrupted"]
    assert answers == []


def test_an_exit_code_that_means_nothing_is_a_failure(place, job, kind, monkeypatch):
    made = Kind("sleep", lambda _: [], lambda _: "", program=("-c", "raise SystemExit(7)"))
    monkeypatch.setitem(KINDS, "sleep", made)
    assert doing(place).do(job()) == {"outcome": "failed", "code": 7}


def test_a_line_that_was_torn_off_hides_no_later_one(place, job):
    account = place.account("x")
    account.write("started", "a")
    file = account.folder / "account.jsonl"
    file.write_text(file.read_text() + '{"what": "end')
    account.write("ended", "b", outcome="done", code=0)
    assert [entry.what for entry in account.entries()] == ["started", "ended"]
    assert [json.loads(line)["what"] for line in file.read_text().splitlines() if line.endswith("}")] == [
        "started",
        "ended",
    ]


def test_a_workers_name_is_held_by_one_process_at_a_time(place):
    with place.present("w") as name:
        assert name == "w"
        assert [(one.name, one.machine, one.alive) for one in place.workers()] == [("w", this_machine(), True)]
        with pytest.raises(Broken, match="a worker w is running"), place.present("w"):
            pass
        with place.present("") as other:
            assert other == f"{this_machine()}-1"
    assert [one.alive for one in place.workers()] == [False, False]


def test_a_castle_is_free_again_after_whatever_happened(place, job):
    one = job()
    with pytest.raises(asyncio.CancelledError), place.locked(one):
        raise asyncio.CancelledError
    with place.locked(one), pytest.raises(NotYet, match=f"{one.id} is at work on tower"), place.locked(job("two")):
        pass
    assert place.holder("tower") == ""
