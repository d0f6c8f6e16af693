"""A slice of what `make simulate` and `make sweep` do, the same life twice, and bugs that must not get past the auditor."""

import os
import subprocess
import sys

import pytest

from simulation.faults import HTTP, Fault, Plan, drawn
from simulation.life import lived
from simulation.planted import BUGS
from simulation.sweep import KINDS, Cut, points, swept


@pytest.mark.parametrize("seed", [2, 3])
def test_a_life(seed):
    life = lived(seed, drawn(seed))
    assert life.complaints == [], life.plan


def test_one_seed_is_one_life():
    """Every event, request, fault and moment of it."""
    first, second = lived(26, drawn(26)), lived(26, drawn(26))
    assert first.kills > 1
    assert first.trace == second.trace


def test_what_was_destroyed_is_born_again():
    """Not merely gone on with: its machines, and what is in its cluster, are new."""
    life = lived(7, Plan(again=True))
    assert life.complaints == []
    assert (life.runs, life.failures) == (5, [])
    done = [line for line in life.trace if "PhaseDone" in line]
    for phase in ("create_machines", "bootstrap_kubernetes", "hand_over"):
        assert sum(f"'phase': '{phase}'" in line for line in done) == 2, phase


def test_another_seed_is_another():
    assert lived(1, Plan()).trace != lived(2, Plan()).trace


@pytest.mark.long
def test_one_seed_is_one_life_in_another_process_too():
    command = [sys.executable, "-m", "simulation", "simulate", "--seed", "26"]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = [subprocess.run(command, capture_output=True, check=True, env=found).stdout for _ in range(2)]
    assert said[0] == said[1]


def test_points_are_before_and_after_every_write():
    created, destroyed = points()
    for system in ("proxmox", "tailscale", "kubernetes", "vault", "talosctl", "helm"):
        assert any(name.startswith(f"before {system}") for name in created), system
        assert any(name.startswith(f"after {system}") for name in created), system
    assert any(name.startswith("in helm") for name in created), "inside of a program"
    assert sum(name.startswith("torn journal") for name in created) > 20
    assert {name.partition(" ")[0] for name in destroyed} == {"before", "torn", "after"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut(kind):
    """Of each kind, one."""
    names = points()[kind.startswith("destroy")]
    number = int(len(names) * 0.4)
    life = swept(Cut(kind, number, names[number]))
    assert life.kills
    assert life.complaints == []


def test_where_the_cut_is_a_run_ends():
    created, _ = points()
    number = next(number for number, name in enumerate(created) if "bootstrap" in name)
    life = swept(Cut("create, and the next", number, created[number]))
    assert life.kills == 2
    assert any(f"KILLED {created[number]}" in line for line in life.trace)


# By which seed a bug is found first, counted from 0; in another order of sets it may be a later one.
FIRST = dict(zip(BUGS, (1, 1, 26, 13), strict=True))


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_that_is_planted_is_found(bug):
    """Within a thousand lives, and by what the auditor sees, not by a crash."""
    for seed in range(FIRST[bug], 1000):
        life = lived(seed, drawn(seed), change=BUGS[bug])
        if life.complaints:
            break
    assert life.complaints, f"not found in {seed + 1} lives"
    seen = {
        "journal line": "done again|written to",
        "machines": "twice: the machine",
        "secret": "a secret is in an event",
    }
    assert any(word in life.complaints[0] for key, words in seen.items() if key in bug for word in words.split("|"))


@pytest.mark.parametrize("kind", ["lost", "other json"])
def test_a_system_that_does_not_answer_right_for_a_while(kind):
    assert kind in HTTP
    life = lived("one fault", Plan([Fault("tailscale", kind, 0.0, 90.0, path="/keys|/devices")]))
    assert life.complaints == []
    assert life.hits


def test_scratch_files_of_a_killed_run_go_although_the_next_does_not_come_so_far():
    """With secrets in them; the auditor looks after each run that ends by itself."""
    created, _ = points()
    number = created.index("after talosctl gen")
    life = lived("scratch", Plan([Fault("proxmox", "503", 11.5, 100.0)], kills=[number]))
    assert any("reach_outside" in line and "PhaseFailed" in line for line in life.trace)
    assert life.complaints == []
