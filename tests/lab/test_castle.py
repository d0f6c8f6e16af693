"""The example castle, whole: nothing -> online -> again without a write -> nothing -> online; and no secret anywhere."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rebirth.lab.state import LabState

pytestmark = pytest.mark.lab

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"


class Castle:
    """A copy of the example castle in a lab of its own, driven as an operator drives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "castle"
        self.lab = LabState(f"test-{os.getpid()}")
        shutil.copytree(EXAMPLE, self.folder, ignore=shutil.ignore_patterns("logs", ".rebirth"))

    def rebirth(self, *arguments, code=0):
        command = [sys.executable, "-m", "rebirth", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder.parent)
        assert done.returncode == code, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def inside(self, command, *arguments, code=0):
        return self.rebirth(command, str(self.folder), "--lab", "--lab-name", self.lab.name, *arguments, code=code)

    def kubectl(self, *arguments):
        return json.loads(
            self.rebirth("lab", "run", "--lab-name", self.lab.name, "--", "kubectl", *arguments, "-o", "json")
        )

    def writes(self):
        said = subprocess.run(
            ["curl", "--silent", "--unix-socket", str(self.lab.socket), "http://lab/writes"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(said.stdout)

    def status(self):
        said = subprocess.run(
            ["curl", "--silent", "--unix-socket", str(self.lab.socket), "http://lab/status"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(said.stdout)

    def canaries(self):
        """Every secret value of this rehearsal, line by line where it has several."""
        found = set()
        for file in self.lab.secrets.rglob("*"):
            if file.is_file() and "produced" not in file.parts and not file.name.endswith("ca.crt"):
                found |= {line.strip() for line in file.read_text().splitlines() if len(line.strip()) > 8}
        return found


def ready(item):
    conditions = {entry["type"]: entry["status"] for entry in item["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"


@pytest.fixture
def castle(tmp_path):
    castle = Castle(tmp_path)
    yield castle
    castle.rebirth("lab", "down", castle.lab.name)
    assert not castle.lab.folder.exists()
    assert not [path for path in Path("/sys/fs/cgroup").glob(f"**/rebirth-{castle.lab.name}") if path.is_dir()]


def test_the_example_castle(castle):
    said = castle.inside("create", "--budget", "600")
    assert "online after" in said
    assert "https://blog.tazlab.example says: Ephemeral Castle" in said
    check_the_cluster(castle)
    check_no_secret_anywhere(castle)
    castle.inside("verify")
    castle.inside("status")
    check_again_without_a_write(castle)

    castle.inside("destroy")
    left = castle.status()
    assert left["machines"] == {}
    assert left["devices"] == ["lushycorp-vault"]
    assert not list((castle.lab.secrets / "produced").glob("*"))
    castle.inside("destroy")

    assert "online after" in castle.inside("create", "--budget", "600")


def check_the_cluster(castle):
    nodes = castle.kubectl("get", "nodes")["items"]
    assert len(nodes) == 2
    assert all(ready(node) and node["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.35") for node in nodes)
    assert all(map(ready, castle.kubectl("get", "kustomizations", "-A")["items"]))
    assert all(map(ready, castle.kubectl("get", "helmreleases", "-A")["items"]))
    assert all(map(ready, castle.kubectl("get", "clustersecretstores")["items"]))
    born = castle.kubectl("get", "secret", "-n", "tazlab-db", "tazlab-db-pguser-grafana")["data"]["password"]
    assert castle.kubectl("get", "secret", "-n", "monitoring", "grafana-db")["data"]["password"] == born
    (grafana,) = castle.kubectl("get", "pods", "-n", "monitoring")["items"]
    assert [entry["ready"] for entry in grafana["status"]["containerStatuses"]] == [True] * 3
    assert castle.kubectl("get", "deploy", "-n", "kube-system", "coredns")["status"]["availableReplicas"] == 2


def check_no_secret_anywhere(castle):
    canaries = castle.canaries()
    assert len(canaries) >= 6
    for file in [*castle.folder.rglob("*"), *castle.lab.log.rglob("*")]:
        if file.is_file():
            text = file.read_text(errors="replace")
            assert not [canary for canary in canaries if canary in text], f"a secret stands in {file}"
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = process.read_text(errors="replace")
        except OSError:
            continue
        assert not [canary for canary in canaries if canary in text], f"a secret is an argument: {process}"


def check_again_without_a_write(castle):
    before, since = castle.writes(), time.monotonic()
    castle.inside("create")
    seconds = time.monotonic() - since
    after = castle.writes()
    # The cluster's own controllers go on meanwhile: only what the operator's side talks to is compared.
    for system in ("proxmox", "tailscale", "git", "vault"):
        assert after.get(system, 0) == before.get(system, 0), system
    events = max((castle.folder / "logs").iterdir()).joinpath("events.jsonl").read_text().splitlines()
    started = {json.loads(line)["phase"] for line in events if json.loads(line)["event"] == "PhaseStarted"}
    assert started == {"resolve_secrets"}, "nothing but reading"
    assert seconds < 15, f"took {seconds:.1f} s"
