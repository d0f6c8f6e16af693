"""The example castle with other names, addresses and tailnet, three control planes, and its repository over SSH: nothing is hard-coded."""

import re
from pathlib import Path

import pytest
import yaml

from lab.switching import run_power, until
from lab.talosctl import Talosctl, check_answers, check_changes, check_snapshot
from rebirth.castle import load
from rehearsal import ready, rehearsed

pytestmark = pytest.mark.lab

# What the example's files say -> what the other castle's say. Nothing else is changed.
NAMES = {
    "tazlab": "orchard",
    "magellanic-gondola": "quiet-heron",
    "lushycorp": "granary",
    "castle.lan": "farm.lan",
    "192.168.50.": "10.77.3.",
    "10.96.0.": "10.112.0.",
    "10.244.": "10.201.",
    "cluster.local": "farm.local",
    "/nodes/pve": "/nodes/barn",
    "node: pve": "node: barn",
    "vmbr0": "vmbr7",
    "first: 800, last: 899": "first: 4100, last: 4199",
}
MORE = """    - {name: granary-k8s-2, role: controlplane, address: 10.77.3.12, cores: 4, memory_mib: 8192, disk_gib: 40}
    - {name: granary-k8s-3, role: controlplane, address: 10.77.3.13, cores: 4, memory_mib: 8192, disk_gib: 40}
"""
WORKER = "    - {name: orchard-k8s-worker-1"


def move(folder: Path) -> None:
    """Names and addresses of the castle in `folder` become the other's, in every file's text and name."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            text = path.read_text()
            for old, new in NAMES.items():
                text = text.replace(old, new)
            path.write_text(text)
        renamed = path.with_name(path.name.replace("tazlab", "orchard"))
        path.rename(renamed)
    file = folder / "castle.yaml"
    text = file.read_text()
    assert WORKER in text
    file.write_text(text.replace(WORKER, MORE + WORKER))


def follow_otherwise(folder: Path) -> None:
    """The repository is read over SSH, and has another name for the variables."""
    for file in (*folder.glob("gitops/clusters/**/*.yaml"), folder / "lab.yaml"):
        text = file.read_text().replace("https://github.com/orchard", "ssh://git@github.com/orchard")
        file.write_text(text.replace("cluster-variables", "cluster-settings"))
    file = folder / "castle.yaml"
    castle = yaml.safe_load(file.read_text())
    gitops, secrets = castle["gitops"], castle["engine"]["direct_secrets"]
    del gitops["token"]
    gitops["repository"] = "ssh://git@github.com/orchard/orchard-k8s.git"
    gitops["ssh"] = {"private_key": {"secret": "deploy-key"}, "known_hosts": {"secret": "known-hosts"}}
    gitops["substitution"] = {"config_maps": {"cluster-settings": gitops.pop("variables")}}
    castle["engine"]["direct_secrets"] = [one for one in secrets if one["namespace"] != "flux-system"]
    file.write_text(yaml.safe_dump(castle, sort_keys=False))


def check_the_machines(castle, folder: Path) -> None:
    """Talos answers for itself, and any machine may go and come back: by a command, by its power button, by its plug."""
    declared = load(castle.folder)
    talos = Talosctl(castle, declared.machines)
    plane, worker = "granary-k8s", "orchard-k8s-worker-1"
    check_answers(talos, declared.name, plane, worker)
    check_snapshot(talos, plane, folder / "etcd.db")
    check_changes(talos, worker, folder)

    talos.shut_down(worker)
    until(lambda: not castle.ask("/status")["machines"][worker], "it is off")
    run_power(castle, "start", worker)
    run_power(castle, "shutdown", worker)
    assert not castle.ask("/status")["machines"][worker]
    run_power(castle, "start", worker)
    run_power(castle, "stop", "granary-k8s-2")
    run_power(castle, "start", "granary-k8s-2")
    talos.until_ready()
    check_answers(talos, declared.name, plane, worker)


def test_another_castle(tmp_path):
    with rehearsed(tmp_path, "other") as castle:
        move(castle.folder)
        left_over = [
            path
            for path in castle.folder.rglob("*")
            if path.is_file() and re.search("tazlab|magellanic|lushycorp|192[.]168[.]50", path.read_text())
        ]
        assert not left_over
        follow_otherwise(castle.folder)
        said = castle.inside("create", "--budget", "900")
        assert "https://blog.orchard.example says: Ephemeral Castle" in said
        nodes = castle.kubectl("get", "nodes")["items"]
        roles = ["node-role.kubernetes.io/control-plane" in node["metadata"]["labels"] for node in nodes]
        assert (len(nodes), sum(roles)) == (4, 3)
        assert all(map(ready, nodes))
        assert all(map(ready, castle.kubectl("get", "kustomizations", "-A")["items"]))
        check_the_machines(castle, tmp_path)
        castle.inside("destroy", "--yes")
        assert castle.ask("/status")["machines"] == {}
        assert castle.ask("/status")["devices"] == ["granary-vault", "workstation"]
