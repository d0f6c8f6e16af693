"""The example castle under another name, with other addresses and another tailnet, and three control planes: nothing is hard-coded."""

import re
from pathlib import Path

import pytest

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


def test_another_castle(tmp_path):
    with rehearsed(tmp_path, "other") as castle:
        move(castle.folder)
        left_over = [
            path
            for path in castle.folder.rglob("*")
            if path.is_file() and re.search("tazlab|magellanic|lushycorp|192[.]168[.]50", path.read_text())
        ]
        assert not left_over
        said = castle.inside("create", "--budget", "900")
        assert "https://blog.orchard.example says: Ephemeral Castle" in said
        nodes = castle.kubectl("get", "nodes")["items"]
        roles = ["node-role.kubernetes.io/control-plane" in node["metadata"]["labels"] for node in nodes]
        assert (len(nodes), sum(roles)) == (4, 3)
        assert all(map(ready, nodes))
        assert all(map(ready, castle.kubectl("get", "kustomizations", "-A")["items"]))
        etcd = castle.rebirth("lab", "run", "--lab-name", castle.lab.name, "--", "talosctl", "etcd", "members")
        assert len([line for line in etcd.splitlines() if "https://10.77.3.1" in line]) == 3, etcd
        castle.inside("destroy", "--yes")
        assert castle.ask("/status")["machines"] == {}
        assert castle.ask("/status")["devices"] == ["granary-vault", "workstation"]
