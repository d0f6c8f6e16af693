"""Workers that share a real PostgreSQL: killed, without their database, and told wrong things by the engine."""

import json
import os
import re
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Self

import pytest

from fleet.castles import canaries, repository
from fleet.conftest import Fleet, eventually
from fleet.database import Database
from rebirth.fleet.engine import Engine
from rebirth.fleet.place import Place

pytestmark = pytest.mark.lab


@pytest.fixture
def database(short_path):
    made = Database(short_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def fleet(tmp_path, database):
    made = Fleet(tmp_path / "fleet", database.url)
    # What acts on a castle whose outside is not there tries for that long, and fails.
    made.environment |= {"PGPASSWORD": database.password, "REBIRTH_BUDGET": "4"}
    yield made
    made.end()


def jobs(fleet) -> list[dict]:
    return json.loads(fleet.run("status", "--json"))["jobs"]


def ended(fleet) -> bool:
    return all(job["state"] in {"done", "failed", "findings"} for job in jobs(fleet))


def running(fleet, worker: str) -> list[dict]:
    return [job for job in jobs(fleet) if job["state"] == "running" and job["worker"] == worker]


class Witness(threading.Thread):
    """Looks at the machine's processes all the time: how many commands are at work on a castle at once."""

    def __init__(self, *castles: Path) -> None:
        super().__init__(daemon=True)
        self.castles = set(map(str, castles))
        self.most: Counter[str] = Counter()
        self.over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        while not self.over.wait(0.02):
            found: dict[int, tuple[int, str]] = {}  # process -> its parent, the castle
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    said = re.search(rb"-m\0rebirth\0(?!fleet\0)[a-z]+\0([^\0]+)", (folder / "cmdline").read_bytes())
                    if said:
                        parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                        found[int(folder.name)] = parent, said[1].decode()
            # What a command starts looks like the command until it has become another program.
            own = Counter(castle for parent, castle in found.values() if parent not in found)
            self.most |= Counter({castle: number for castle, number in own.items() if castle in self.castles})


def test_twelve_jobs_of_three_kinds_a_worker_killed_and_the_database_restarted(fleet, database, castles):
    towers = castles("tower", "cove", "keep", "moat")
    for kind in ("check", "create", "verify"):
        fleet.run("add", kind, *map(str, towers))
    found = done_by_two(fleet, database, towers)
    assert Counter((job["kind"], job["state"]) for job in found) == {
        ("check", "done"): 4, ("create", "failed"): 4, ("verify", "failed"): 4,  # nobody is outside
    }  # fmt: skip


def test_twelve_jobs_of_the_other_kinds(fleet, database, castles, tmp_path):
    fleet.environment["REBIRTH_BUDGET"] = "2"
    towers = castles("tower", "cove", "keep")
    for kind in ("destroy", "drill"):
        fleet.run("add", kind, "--yes", *map(str, towers))
    for seed in range(4):
        fleet.run("add", "simulate", "--seed", str(seed))
    fleet.run("add", "rehearse", *(str(repository(tmp_path / name)) for name in ("one", "another")))
    found = done_by_two(fleet, database, towers)
    assert Counter((job["kind"], job["state"]) for job in found) == {
        ("destroy", "failed"): 3, ("drill", "failed"): 3,  # nobody is outside
        ("simulate", "done"): 4, ("rehearse", "done"): 2,
    }  # fmt: skip
    told = {job["kind"]: {other["told"] for other in found if other["kind"] == job["kind"]} for job in found}
    assert told["drill"] == {"0 of 1 rounds went well"}, "one that was killed in its round has begun that round again"
    assert told["simulate"] == {f"1 lives (seeds {seed} to {seed}), 0 failures" for seed in range(4)}
    assert all(words.startswith("all is Ready after") for words in told["rehearse"])


def done_by_two(fleet, database, towers) -> list[dict]:
    """Twelve jobs, each done once, and no castle by two: a worker is killed in the middle, and the database is away for a while."""
    with Witness(*towers) as witness:
        first, _ = fleet.worker("first"), fleet.worker("second")
        eventually(lambda: running(fleet, "first"))
        first.send_signal(signal.SIGKILL)
        database.stop()
        time.sleep(1)
        database.start()
        eventually(lambda: any(job["worker"] == "second" and job["ended"] for job in jobs(fleet)), 120)
        fleet.worker("first")
        eventually(lambda: ended(fleet), 300)
    found = jobs(fleet)
    assert len(found) == 12
    by_castle: dict[str, list[tuple[float, float]]] = {}
    for job in found:
        what = [entry["what"] for entry in job["account"]]
        assert what.count("ended") == 1, what
        assert what[-1] == "ended", what
        last = job["account"][-2:]
        by_castle.setdefault(job["castle"], []).append((last[0]["at"], last[1]["at"]))
    for spans in by_castle.values():
        for (_, end), (start, _) in pairwise(sorted(spans)):
            assert end <= start, "two jobs on one castle"
    assert set(witness.most) == {str(tower) for tower in towers}, "it has seen them"
    assert set(witness.most.values()) == {1}, witness.most
    assert sum(len(job["account"]) > 2 for job in found) <= 2, "only what the killed worker had in hand was begun again"
    check_no_secret(fleet, database, towers)
    return found


def check_no_secret(fleet, database, towers):
    secret = [*(value for tower in towers for value in canaries(tower)), database.password]
    assert len(secret) > 20
    texts = {"the database": database.dump(), "its log": database.log.read_text(errors="replace")}
    texts |= {str(file): file.read_text(errors="replace") for file in fleet.folder.rglob("*") if file.is_file()}
    for place, text in texts.items():
        assert not [value for value in secret if value in text], place
    assert "tower" in texts["the database"], "names are there in clear"


def test_a_worker_that_comes_back_takes_up_its_own(fleet, castles):
    (tower,) = castles("tower")
    fleet.run("add", "create", str(tower))
    only = fleet.worker("only")
    eventually(lambda: running(fleet, "only"))
    only.send_signal(signal.SIGKILL)
    only.wait()
    (job,) = jobs(fleet)
    assert job["state"] == "waiting"
    assert job["why"] == "no worker runs"
    fleet.worker("only")
    eventually(lambda: ended(fleet))
    (job,) = jobs(fleet)
    assert [entry["what"] for entry in job["account"]] == ["started", "started", "ended"]


def test_a_worker_that_is_asked_to_end_hands_its_job_on(fleet, castles):
    (tower,) = castles("tower")
    fleet.run("add", "create", str(tower))
    first = fleet.worker("first")
    eventually(lambda: running(fleet, "first"))
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 128 + signal.SIGTERM
    fleet.worker("second")
    eventually(lambda: ended(fleet))
    (job,) = jobs(fleet)
    assert [(entry["what"], entry["worker"]) for entry in job["account"]] == [
        ("started", "first"), ("interrupted", "first"), ("started", "second"), ("ended", "second"),
    ]  # fmt: skip


def test_cancelled_and_resumed(fleet, castles):
    fleet.environment["REBIRTH_BUDGET"] = "600"  # it runs until it is cancelled, however slow the machine is
    first, second = (fleet.run("add", "create", str(one)).strip() for one in castles("tower", "cove"))
    only = fleet.worker("only")
    runs = eventually(lambda: running(fleet, "only"))[0]["id"]
    waits = second if runs == first else first
    eventually(lambda: list((fleet.folder.parent / "castles").glob("*/logs/*/events.jsonl")))  # it listens to signals
    fleet.run("cancel", waits)
    fleet.run("cancel", runs[-6:])
    eventually(lambda: account(fleet, runs) == ["started", "cancelled"], 120)
    assert account(fleet, waits) == []
    assert {job["state"] for job in jobs(fleet)} == {"cancelled"}
    assert "interrupted" in (fleet.folder / "jobs" / runs / "output.log").read_text(), "ended as by Ctrl-C"
    fleet.run("resume", runs)
    eventually(lambda: account(fleet, runs) == ["started", "cancelled", "started"])
    only.send_signal(signal.SIGTERM)
    only.wait(120)
    fleet.environment["REBIRTH_BUDGET"] = "4"
    fleet.run("resume", waits)
    fleet.worker("only")
    eventually(lambda: ended(fleet), 120)
    assert account(fleet, runs) == ["started", "cancelled", "started", "interrupted", "started", "ended"]
    assert account(fleet, waits) == ["started", "ended"]


def account(fleet, name: str) -> list[str]:
    (found,) = (job for job in jobs(fleet) if job["id"] == name)
    return [entry["what"] for entry in found["account"]]


def test_a_job_that_the_engine_takes_for_begun_is_given_back(fleet, database, castles):
    """dbos-transact-py#805, #804: a row is pending under a worker that lives, and nobody does it; what is behind it is blocked."""
    only = fleet.worker("only")
    with Place(fleet.folder, database.url)._guard():  # else it may be stopped while all others wait for it
        only.send_signal(signal.SIGSTOP)  # its start, and with it the engine's own recovery, is over
    fleet.run("add", "check", *map(str, castles("tower")))
    lost = "UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = 'only', owner_xid = 'lost' RETURNING 1"
    assert len(database.run(lost)) == 1
    only.send_signal(signal.SIGCONT)
    eventually(lambda: ended(fleet), 90)
    only.send_signal(signal.SIGTERM)
    said, _ = only.communicate(timeout=60)
    assert "the engine takes it for begun, and it is not; it waits again" in said
    assert [entry["what"] for entry in jobs(fleet)[0]["account"]] == ["started", "ended"]


def test_a_job_that_is_given_to_two_is_done_once(fleet, database, castles):
    """dbos-transact-py#742: what a live worker does is handed to another, as by a recovery that is out of date."""
    (tower,), place = castles("tower"), Place(fleet.folder, database.url)
    fleet.environment["REBIRTH_BUDGET"] = "15"
    fleet.worker("first"), fleet.worker("second")
    os.environ["PGPASSWORD"] = database.password
    engine = Engine(place)
    with Witness(tower) as witness:
        name = fleet.run("add", "create", str(tower)).strip()
        eventually(lambda: witness.most[str(tower)])
        (row,) = engine.rows("running")
        engine.give_back(row)
        assert place.account(name).end is None, "it was given away while it was done"
        engine.close()
        eventually(lambda: ended(fleet))
        time.sleep(2)
    (job,) = jobs(fleet)
    assert [entry["what"] for entry in job["account"]] == ["started", "ended"]
    assert witness.most[str(tower)] == 1


def test_the_database_is_away_while_the_jobs_of_a_dead_worker_are_taken_over(fleet, database, castles):
    """dbos-transact-py#716: a recovery that meets a database which restarts is forgotten."""
    for castle in castles(*(f"castle{number}" for number in range(4))):
        fleet.run("add", "check", str(castle))
    database.run("UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = 'dead', owner_xid = 'lost'")
    database.stop()
    heir = fleet.start("worker", "--name", "heir")
    time.sleep(0.5)
    if heir.poll() is not None:  # it has found no database at all, and has said so
        assert "the database does not answer" in heir.stderr.read()
    database.start()
    fleet.worker("other")
    time.sleep(0.3)
    database.stop()
    database.start()
    eventually(lambda: ended(fleet), 120)
    assert all([entry["what"] for entry in job["account"]] == ["started", "ended"] for job in jobs(fleet))
