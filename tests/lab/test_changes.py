"""A castle that lives, with the real Talos: castle.yaml changes, plan says what that means, create does it, status is true."""

import json
import time

import pytest
import yaml

from rehearsal import ready, rehearsed

pytestmark = [pytest.mark.lab, pytest.mark.long]
WORKER = "tazlab-k8s-worker-1"
MACHINES = {"lushycorp-k8s": "192.168.50.11", WORKER: "192.168.50.21"}
SYSCTL = {"net.ipv4.tcp_keepalive_time": "600"}
LEFT = 4


@pytest.fixture
def castle(tmp_path):
    with rehearsed(tmp_path, "changes") as castle:
        yield castle


def test_a_castle_follows_castle_yaml(castle):
    castle.inside("create", "--budget", "900")
    assert planned(castle) == {}

    edit(castle, lambda d: d["engine"]["coredns"]["forwards"].update({"lan": ["192.168.50.1"]}))
    edit(castle, lambda d: d["talos"].update(patches=[{"machine": {"sysctls": SYSCTL}}]))
    edit(castle, lambda d: d["machines"]["nodes"][1].update(memory_mib=12288))
    assert planned(castle) == {
        "ConfigMap kube-system/coredns": {"applied now"},
        "machine lushycorp-k8s": {"applied now"},
        f"machine {WORKER}": {"applied now", "applied with a reboot"},
    }
    boots = booted(castle)
    castle.inside("create", "--budget", "900")
    assert planned(castle) == {}
    until_well(castle)
    after = booted(castle)
    assert [name for name in boots if boots[name] != after[name]] == [WORKER]
    corefile = castle.kubectl("get", "configmap", "-n", "kube-system", "coredns")["data"]["Corefile"]
    assert "forward . 192.168.50.1" in corefile
    for node in MACHINES.values():
        assert configuration(castle, node)["machine"]["sysctls"] == SYSCTL
    assert all(map(ready, castle.kubectl("get", "nodes")["items"]))

    edit(castle, lambda d: d["talos"]["patches"].append({"machine": {"env": {"GRPC_GO_LOG_SEVERITY_LEVEL": "info"}}}))
    assert set().union(*planned(castle).values()) == {"applied with a reboot"}
    castle.inside("create", "--budget", "1200")
    again = booted(castle)
    assert all(again[name] != after[name] for name in again)
    assert planned(castle) == {}
    until_well(castle)
    castle.inside("verify")

    edit(castle, lambda d: d["kubernetes"].update(pod_network="10.245.0.0/16"))
    assert set().union(*planned(castle, code=LEFT).values()) == {"needs a rebirth"}
    said = castle.inside("create", "--budget", "300", code=LEFT)
    assert "needs a rebirth" in said or "left to you" in said
    castle.inside("status", code=LEFT)
    assert configuration(castle, "192.168.50.21")["cluster"]["network"]["podSubnets"] == ["10.244.0.0/16"]
    check_no_secret(castle)


def edit(castle, change):
    file = castle.folder / "castle.yaml"
    document = yaml.safe_load(file.read_text())
    change(document)
    file.write_text(yaml.safe_dump(document, sort_keys=False))


def planned(castle, code=0):
    """What is changed -> what becomes of it."""
    said = json.loads(castle.inside("plan", "--json", code=code))
    assert said["unknown"] == []
    found = {}
    for change in said["changes"]:
        found.setdefault(change["what"], set()).add(change["how"])
    return found


def until_well(castle):
    """Nodes are Ready before the pods on them are: what ran on a machine that was restarted takes its time."""
    since = time.monotonic()
    while castle.run(*castle.in_lab("status"))[0] != 0:
        assert time.monotonic() - since < 600, castle.inside("status")
        time.sleep(10)


def booted(castle):
    """Machine -> which of its boots it is in. (A Node says its host's, in a container.)"""
    return {name: talosctl(castle, node, "read", "/proc/sys/kernel/random/boot_id") for name, node in MACHINES.items()}


def talosctl(castle, node, *words):
    return castle.rebirth("lab", "run", "--lab-name", castle.lab.name, "--", "talosctl", "--nodes", node, *words)


def configuration(castle, node):
    said = talosctl(castle, node, "get", "machineconfig", "v1alpha1", "--output", "yaml")
    spec = yaml.safe_load(said)["spec"]
    return next(document for document in yaml.safe_load_all(spec) if "kind" not in document)


def check_no_secret(castle):
    """A dry run shows the whole difference, secrets and all: nothing of it is kept."""
    files = [file for part in ("logs", ".rebirth") for file in (castle.folder / part).rglob("*") if file.is_file()]
    bundle = yaml.safe_load((castle.lab.secrets / "produced" / "talos-secrets.yaml").read_text())
    known = [*castle.canaries(), bundle["secrets"]["bootstraptoken"], bundle["trustdinfo"]["token"]]
    for file in files:
        text = file.read_text(errors="replace")
        assert not [form for form in known if form in text], file
