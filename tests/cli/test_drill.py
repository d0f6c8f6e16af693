"""The command `drill`: what it refuses before anything is touched."""

import json

from rebirth.report import drills


def test_faults_are_for_the_lab_alone(yard):
    yard.write()
    code, _, complaints = yard.run("drill", "castle", "--faults", "slow", "--yes")
    assert (code, complaints.splitlines()[0]) == (2, "error: --faults needs --lab")


def test_without_a_terminal_it_wants_yes(yard):
    yard.write()
    code, _, complaints = yard.run("drill", "castle")
    assert code == 2
    assert "drill asks before it removes anything, and standard input is not a terminal" in complaints
    assert not (yard.castle / "logs").exists()


def test_a_name_that_is_a_path_is_refused(yard):
    yard.write()
    code, _, complaints = yard.run("drill", "castle", "--yes", "--name", "../x")
    assert (code, "--name" in complaints) == (2, True)


def test_a_fire_drill_that_fails_says_so_and_repeats_nothing(yard, silence):
    """The castle's Proxmox does not answer: the first round fails in destroy, and is recorded."""
    yard.write()
    (yard.vault / "proxmox-api-token").unlink()
    code, out, complaints = yard.run("drill", "castle", "--yes", "-n", "3", "--json", "--name", "fire")
    found = json.loads(out)
    assert (code, found["rounds"], found["survived"]) == (1, 1, 0)
    (failure,) = found["failures"]
    assert failure["step"] == "destroy"
    assert "proxmox-api-token" in failure["error"]
    assert failure["repeat"] == "rebirth drill castle -n 1"
    assert "round 1 of 3: destroy failed" in complaints
    assert len(drills.drills(yard.castle / "logs")) == 1
    assert yard.run("logs", "castle")[0] in {0, 2}, "the drills' folder is no run"
