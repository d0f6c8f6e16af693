"""A fleet alone: SQLite, no service. Commands as an operator types them."""

import json
import re
import subprocess
import sys

import pytest

from fleet.conftest import eventually

pytestmark = pytest.mark.lab  # processes, each of them seconds


def test_what_is_added_is_done(fleet, castles, tmp_path):
    (tower,) = castles("tower")
    (tmp_path / "empty").mkdir()
    added = fleet.run("add", "check", str(tower), str(tmp_path / "empty")).split()
    assert len(added) == 2
    assert re.search(r"waiting .* no worker runs$", fleet.run("status"), re.MULTILINE)
    assert "is ready" in fleet.run("worker", "--drain")
    first, second = json.loads(fleet.run("status", "--json"))["jobs"]
    assert [first["id"], second["id"]] == added
    assert (first["state"], first["told"]) == ("done", "0 errors, 0 warnings")
    assert second["state"] == "failed"
    assert second["told"], "what the command complains about"
    assert [entry["what"] for entry in first["account"]] == ["started", "ended"]


def test_a_job_that_nobody_has_begun_can_be_cancelled_and_resumed(fleet, castles):
    job = fleet.run("add", "check", *map(str, castles("tower"))).strip()
    fleet.run("cancel", job[-6:])
    assert json.loads(fleet.run("status", "--json"))["jobs"][0]["state"] == "cancelled"
    fleet.run("worker", "--drain")
    assert json.loads(fleet.run("status", "--json"))["jobs"][0]["account"] == []
    fleet.run("resume", job)
    fleet.run("worker", "--drain")
    assert json.loads(fleet.run("status", "--json"))["jobs"][0]["state"] == "done"


def test_no_such_job(fleet):
    with fleet.start("cancel", "frob") as process:
        _, complained = process.communicate()
    assert process.returncode == 2
    assert complained.startswith("error: no such job: frob\n")


def test_without_the_engine_it_says_how_to_install_it():
    hide = "import sys; sys.modules['dbos'] = None; sys.argv = ['rebirth', 'fleet', 'status']\nfrom rebirth.cli import main; main()"
    hide = f"import importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: None if n == 'dbos' else f(n, *a)\n{hide}"
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[1].startswith("hint: pip install 'castle-rebirth[fleet]'")


def test_a_worker_that_is_killed_loses_nothing(fleet, castles):
    fleet.run("add", "check", *map(str, castles("tower", "cove")))
    first = fleet.worker("first")
    eventually(lambda: any(job["state"] == "running" for job in json.loads(fleet.run("status", "--json"))["jobs"]))
    first.kill()
    first.wait()
    fleet.run("worker", "--name", "second", "--drain")
    found = json.loads(fleet.run("status", "--json"))["jobs"]
    assert [job["state"] for job in found] == ["done", "done"]
    assert all([entry["what"] for entry in job["account"]].count("ended") == 1 for job in found)
