"""A drill as a job: the command itself, with a stand-in for those that it starts, which say what they were and answer."""

import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.conftest import eventually
from rebirth.commands import Commands
from rebirth.fleet.adding import jobs
from rebirth.fleet.doing import Doing
from rebirth.fleet.kinds import KINDS
from rebirth.fleet.place import Place
from rebirth.secrets import Redaction

# In the place of Python, as `python -m rebirth COMMAND CASTLE`: the second create of a castle hangs, the fifth fails.
ANSWERS = f"""#!{sys.executable}
import json, pathlib, sys, time
_, _, _, command, castle, *_ = sys.argv
with pathlib.Path(castle, "said").open("a+") as said:
    said.write(command + "\\n")
    said.seek(0)
    creates = said.read().split().count("create")
if command == "create" and creates == 2:
    time.sleep(600)
if command == "create" and creates == 5:
    sys.exit("error: Proxmox: no space is left")
print(json.dumps({{"online": 90.0, "ok": True}}))
"""
pytestmark = pytest.mark.lab  # processes, each of them seconds
ROUND = ["destroy", "create", "verify"]


@pytest.fixture
def drilled(tmp_path, monkeypatch):
    """drilled(castle, rounds) -> a job, whose drill starts that program."""
    program = tmp_path / "python"
    program.write_text(ANSWERS)
    program.chmod(0o755)
    code = f"import sys; sys.executable = {str(program)!r}; from rebirth.cli import main; main()"
    monkeypatch.setitem(KINDS, "drill", replace(KINDS["drill"], program=("-c", code)))

    def made(castle, rounds):
        asked = {
            "lab": False,
            "lab_name": "",
            "rounds": rounds,
            "seed": 0,
            "faults": "none",
            "machine": "",
            "yes": True,
        }
        (job,) = jobs("drill", [castle], **asked)
        return job

    return made


def said(castle: Path) -> list[str]:
    file = castle / "said"
    return file.read_text().split() if file.exists() else []


def doing(place, worker):
    return Doing(place, worker, lambda _: "running", Commands(Redaction()))


def test_a_drill_that_was_interrupted_goes_on_with_its_round_by_another_worker(tmp_path, castles, drilled):
    (castle,), place = castles("tower"), Place(tmp_path / "fleet")
    job, first = drilled(castle, 3), doing(place, "first")
    threading.Thread(target=first.do, args=(job,), daemon=True).start()
    eventually(lambda: said(castle) == [*ROUND, "destroy", "create"])
    first.stopping.set()
    eventually(lambda: not first.running)
    assert doing(place, "second").do(job) == {"outcome": "done", "code": 0}
    assert said(castle) == [*ROUND, "destroy", "create", *ROUND, *ROUND], "its first round was over"
    account = place.account(job.id)
    assert [(entry.what, entry.worker) for entry in account.entries()] == [
        ("started", "first"), ("interrupted", "first"), ("started", "second"), ("ended", "second"),
    ]  # fmt: skip
    assert KINDS["drill"].told(account.answered()) == "3 of 3 rounds went well"


def test_a_drill_that_fails_says_where_and_what_repeats_it(tmp_path, castles, drilled):
    (castle,), place = castles("tower"), Place(tmp_path / "fleet")
    (castle / "said").write_text("create " * 3)
    job = drilled(castle, 3)
    assert doing(place, "only").do(job) == {"outcome": "failed", "code": 1}
    account = place.account(job.id)
    assert KINDS["drill"].told(account.answered()) == "1 of 2 rounds went well", (
        "real systems: the first failure is the end"
    )
    (failure,) = account.answered()["failures"]
    assert (failure["step"], failure["repeat"]) == ("create", f"rebirth drill {castle} -n 1")
    assert "no space is left" in failure["error"]
