"""Deadlocks of the example castle in a rehearsal: those of the Flux graph stop it, at what the proof names.

D1, D2, D4, D5 and D7 are of names, credentials, CoreDNS and certificates, which a rehearsal does not have: they come up there, and are not
compared. tests/lab/test_deadlocks.py has all seven in the lab.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rehearse.rehearsing import LINE, environment

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
RULES = ROOT / "tests" / "proof" / "rules"
D1 = "r25_name_before_zone/bad_d1_oauth_secret_through_its_own_zone"
D3 = "r01_kind_before_its_crd/bad_d3_resource_beside_the_release_of_its_kind"
D5 = "r60_corefile/bad_d5_block_on_one_line"
D6 = "r14_no_producer/bad_castle_grafana"


@pytest.mark.parametrize(("case", "stops"), [
    (D1, []),
    (D3, ["operators-tailscale"]),
    (D5, []),
    (D6, ["monitoring"]),
])  # fmt: skip
def test_it_ends_as_the_proof_says(case, stops, tmp_path: Path, short_path: Path):
    castle = tmp_path / "castle"
    shutil.copytree(ROOT / "examples/castle", castle, ignore=shutil.ignore_patterns("logs", ".rebirth", "blog"))
    patch = RULES / case / "change.patch"
    subprocess.run(["git", "apply", "--unsafe-paths", f"--directory={castle}", str(patch)], check=True, cwd="/")
    argv = ["rehearse", str(castle), "--gitops", str(castle / "gitops"), "--again", "--json", "--against-check"]
    done = subprocess.run(
        [sys.executable, "-c", LINE, *argv], env=environment(short_path), capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    seen = json.loads(done.stdout)
    assert done.returncode == (3 if stops else 0), done.stderr
    assert seen["disagreements"] == []
    waiting = {one["node"].rpartition("/")[2] for one in seen["nodes"] if one["ready"] is None}
    assert set(stops) <= waiting
    assert bool(waiting) == bool(stops)
