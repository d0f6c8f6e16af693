"""The harness of `make kills` finds what it looks for, and draws the same points from the same seed."""

import os
import signal
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from itertools import chain, pairwise

import pytest

from killing import ended, held
from killing.points import HAND_OVER, WAYS, drawn

MOMENTS = [0.5 + 0.4 * line for line in range(30)] + [40.0, 70.0]
ONLINE = {
    "machines": ["cp", "worker"],
    "devices": ["cp", "nas", "worker"],
    "etcd": ["cp"],
    "keys": 1,
    "vault": {"static/db": {"names": ["A"], "version": 2}},
    "releases": {"metallb-system/metallb": ["deployed"]},
    "objects": ["Secret db/user password", "Secret tailscale/ts-vault-x7k2p-0 profile-05dd", "Namespace /db"],
}
BEFORE = {"static/db": 1}


def test_twenty_points_of_one_seed_are_the_same_each_time():
    lives = drawn(7, 5, MOMENTS, 80.0, 66.0)
    points = list(chain.from_iterable(lives))
    assert lives == drawn(7, 5, MOMENTS, 80.0, 66.0)
    assert lives != drawn(8, 5, MOMENTS, 80.0, 66.0)
    assert Counter(point.way for point in points) == Counter(WAYS)
    assert (len(points), Counter(WAYS)["group"], Counter(WAYS)["main"]) == (20, 6, 6)
    assert all(one.at <= other.at for life in lives for one, other in pairwise(life))


def test_they_are_spread_over_the_journal_and_over_time():
    points = list(chain.from_iterable(drawn(7, 5, MOMENTS, 80.0, 66.0)))
    drawn_ones = [point for point in points if point.event != HAND_OVER]
    assert len(points) - len(drawn_ones) == 2
    assert sum(point.lines < 16 for point in drawn_ones) >= 4
    assert sum(16 <= point.lines < 31 for point in drawn_ones) >= 3
    assert sum(point.at > 15 for point in drawn_ones) >= 6, "the long waits"


def test_a_castle_as_it_has_to_be():
    other = deepcopy(ONLINE)
    other["objects"][1] = "Secret tailscale/ts-vault-b4c5d-0 profile-59b3"
    other["releases"]["metallb-system/metallb"] = ["superseded", "deployed"]
    assert list(held.wrong(other, ONLINE, BEFORE)) == []


@pytest.mark.parametrize(
    ("what", "value", "said"),
    [
        ("machines", ["cp", "worker", "worker"], "machines: worker twice"),
        ("devices", ["cp", "nas", "worker", "worker-1"], "devices: worker-1 left over"),
        ("devices", ["cp", "nas"], "devices: worker missing"),
        ("etcd", ["cp", "worker"], "etcd: worker left over"),
        ("keys", 3, "keys of the tailnet: 3"),
        ("vault", {"static/db": {"names": ["A"], "version": 3}}, "Vault static/db: 2 versions were written"),
        ("vault", {"static/db": {"names": ["A", "B"], "version": 2}}, "Vault static/db: B left over"),
        ("releases", {"metallb-system/metallb": ["deployed", "pending-install"]}, "release metallb-system/metallb: deployed, "),
        ("releases", {}, "release metallb-system/metallb: missing"),
        ("objects", [*ONLINE["objects"], "Secret tailscale/ts-vault-zzzzz-0 state"], "objects: Secret tailscale/ts-vault-*-0 "),
    ],
)  # fmt: skip
def test_what_is_twice_missing_or_left_over_is_found(what, value, said):
    (found,) = held.wrong({**ONLINE, what: value}, ONLINE, BEFORE)
    assert found.startswith(said)


def test_what_destroy_leaves_is_found():
    gone = {"machines": [], "devices": ["lushycorp-vault", "workstation"], "keys": 0}
    assert list(held.left(gone)) == []
    assert list(held.left({**gone, "machines": ["cp"]})) == ["machines: cp left over"]
    assert list(held.left({**gone, "devices": [*gone["devices"], "cp"]})) == ["devices: cp left over"]
    assert list(held.left({**gone, "keys": 1})) == ["keys of the tailnet: 1"]


def test_a_process_that_outlives_its_run_is_found():
    """One in a session of its own, as the product starts programs, too."""
    code = (
        "import subprocess, sys; subprocess.Popen(['sleep', '77'], start_new_session=True); print(flush=True); input()"
    )
    mark = f"test-{os.getpid()}"
    with subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {ended.MARK: mark}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        run.stdout.readline()
        run.kill()
    (left,) = ended.processes(mark)
    try:
        assert left[1][:2] == ["sleep", "77"]
    finally:
        os.kill(left[0], signal.SIGKILL)


@pytest.mark.parametrize(
    ("way", "code", "said", "scraps", "found"),
    [
        ("SIGTERM", 143, "interrupted by SIGTERM", [], 0),
        ("SIGTERM", 1, "error: x", [], 1),
        ("SIGHUP", 129, "Traceback (most recent call last)", [], 1),
        ("SIGINT", 130, "interrupted", ["kubeconfig"], 1),
        ("group", -9, "", ["talos-secrets.yaml"], 0),  # the next run removes it
        ("", 0, "online", [], 0),
        ("", 0, "online", ["talos-secrets.yaml"], 1),
        ("", 1, "error: x", [], 1),
    ],
)
def test_how_a_run_may_end(way, code, said, scraps, found):
    point = drawn(7, 5, MOMENTS, 80.0, 66.0)[0][0]
    one = ended.Ended(replace(point, way=way) if way else None, code, 1.0, said, scraps=scraps)
    assert len(list(ended.complaints(one))) == found
