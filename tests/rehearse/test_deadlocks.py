"""The protocol's deadlocks in a rehearsal of the example castle: they stop it at what the proof names.

D5 and D7 hang nothing at a first boot, here as in the lab: a CoreDNS that runs keeps its Corefile, and nothing of Flux asks for the API by
its name on the tailnet. tests/lab/test_deadlocks.py shows what comes of them later.
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
D2 = "r38_cluster_dns/bad_d2_kubelets_ask_another_address"
D3 = "r01_kind_before_its_crd/bad_d3_resource_beside_the_release_of_its_kind"
D4 = "r39_git_credential/bad_d4_git_token_through_an_external_secret"
D5 = "r60_corefile/bad_d5_block_on_one_line"
D6 = "r14_no_producer/bad_castle_grafana"
D7 = "r06_name_in_certificate/bad_d7_name_in_machine_cert_sans"


@pytest.mark.parametrize(("case", "stops", "cause"), [
    (D1, ["operators-tailscale", "tailscale-dns", "configs"], "lookup lushycorp-vault.magellanic-gondola.ts.net"),
    (D2, ["flux-system"], "lookup github.com on 10.96.0.11:53"),
    (D3, ["operators-tailscale"], "DNSConfig"),
    (D4, ["flux-system"], "Secret flux-system/flux-system"),
    (D5, [], ""),
    (D6, ["monitoring"], "grafana-db"),
    (D7, [], ""),
])  # fmt: skip
def test_it_ends_as_the_proof_says(case, stops, cause, tmp_path: Path, short_path: Path):
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
    assert cause in done.stdout
