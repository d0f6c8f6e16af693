"""What `fleet add` takes, and what it refuses; and the URL of a database."""

from io import StringIO
from pathlib import Path

import pytest

from rebirth.errors import SpecError
from rebirth.fleet.adding import jobs
from rebirth.fleet.job import Job
from rebirth.fleet.kinds import KINDS
from rebirth.fleet.place import place, this_machine

NOTHING = {"lab": False, "lab_name": "", "rounds": 1, "seed": 0, "faults": "none", "machine": "", "yes": False}


def test_a_job_for_each_directory(castles):
    found = jobs("check", castles("tower", "cove"), **NOTHING)
    assert [(job.castle, job.machine, Path(job.directory).is_absolute()) for job in found] == [
        ("tower", "", True),
        ("cove", "", True),
    ]
    assert len({job.id for job in found}) == 2


def test_a_lab_is_of_this_machine(castles):
    (job,) = jobs("drill", castles("tower"), **NOTHING | {"lab": True, "rounds": 5, "faults": "all", "seed": 3})
    assert (job.machine, job.key) == (this_machine(), f"{this_machine()}/tower")
    command = KINDS["drill"].command(job)
    assert command[:3] == ["drill", job.directory, "--lab"]
    assert command[command.index("--name") + 1] == job.id, "an interrupted drill goes on where it was"


def test_a_lab_has_a_name_of_its_own_where_one_is_given(castles):
    """Its castle is the same: of two jobs on it one waits, in whatever labs."""
    towers = castles("tower")
    (named,) = jobs("drill", towers, **NOTHING | {"lab": True, "lab_name": "second"})
    (other,) = jobs("create", towers, **NOTHING | {"lab": True})
    command = KINDS["drill"].command(named)
    assert command[2:5] == ["--lab", "--lab-name", "second"]
    assert "--lab-name" not in KINDS["create"].command(other)
    assert named.key == other.key
    (real,) = jobs("check", towers, **NOTHING | {"lab_name": "second"})
    assert real.lab_name == "", "as the commands do where REBIRTH_LAB_NAME is set and no lab is asked for"


def test_a_simulation_is_split_into_jobs_of_its_seeds(castles, monkeypatch):
    monkeypatch.chdir(*castles("tower"))
    found = jobs("simulate", None, **NOTHING | {"rounds": 120, "seed": 7})
    assert [(job.seed, job.rounds) for job in found] == [(7, 50), (57, 50), (107, 20)]
    assert len({job.key for job in found}) == 3
    assert not any(job.is_castle for job in found), "it was added beside a castle.yaml, and has nothing to do with that"


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("frob", {}, "no such kind of job: frob"),
        ("check", {"lab": True}, "--lab: check needs no lab"),
        ("create", {"faults": "all"}, "--faults needs --lab"),
        ("drill", {"lab": True, "faults": "war"}, "no such set: war"),
        ("create", {"lab": True, "faults": "all"}, "--faults: create takes none"),
        ("check", {"rounds": 20}, "-n, --seed: check is done once a directory"),
        ("destroy", {}, "destroy asks before it removes anything"),
        ("drill", {}, "drill asks before it removes anything"),
    ],
)
def test_what_is_refused(castles, monkeypatch, kind, more, words):
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(SpecError, match=words):
        jobs(kind, castles("tower"), **NOTHING | more)


def test_a_repository_is_no_castle_to_create(tmp_path):
    assert jobs("check", [tmp_path], **NOTHING)[0].castle == str(tmp_path)
    with pytest.raises(SpecError, match=r"castle.yaml: no such file"):
        jobs("create", [tmp_path], **NOTHING)


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@db/fleet", "postgresql://db/fleet?user=me&password=secret", "mysql://db/fleet"]
)
def test_no_password_in_an_argument(tmp_path, url):
    with pytest.raises(SpecError) as refused:
        place(tmp_path, url)
    assert "secret" not in str(refused.value) + refused.value.hint


def test_a_password_is_taken_out_of_the_environment(tmp_path, monkeypatch):
    """So that no job inherits it."""
    monkeypatch.setenv("PGPASSWORD", "c4n4ry")
    url = place(tmp_path, "postgres://me@db/fleet").url()
    assert url == "postgresql://me:c4n4ry@db/fleet"
    import os

    assert "PGPASSWORD" not in os.environ


@pytest.mark.parametrize(
    "change",
    [
        {"directory": "--output=x"},
        {"directory": "x"},
        {"id": "../x"},
        {"kind": "-c"},
        {"faults": "all --yes"},
        {"lab_name": "--yes"},
    ],
)
def test_what_a_database_may_not_say(change):
    """Who may write to it can have no option passed, and no file written elsewhere."""
    job = Job("one", "check", "/castle", "tower").as_data()
    with pytest.raises(ValueError, match="a job's"):
        Job(**job | change)


def test_what_the_engine_is_told_are_names_and_paths(castles):
    (job,) = jobs("create", castles("tower"), **NOTHING)
    assert Job(**job.as_data()) == job
    assert {type(value) for value in job.as_data().values()} <= {str, int, bool}
