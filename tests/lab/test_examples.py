"""Every example castle but the first, which test_castle brings up: from nothing to online, and back to nothing."""

import pytest

from lab.switching import run_power, until
from lab.talosctl import Talosctl
from rebirth.castle import load
from rehearsal import EXAMPLES, ready, rehearsed

BUDGET = "600"  # seconds


def comes_up(castle) -> str:
    """What create said. A second one changes nothing, and all facts hold."""
    said = castle.inside("create", "--budget", BUDGET)
    assert all(map(ready, castle.kubectl("get", "nodes")["items"]))
    assert all(map(ready, castle.kubectl("get", "kustomizations", "-A")["items"]))
    statuses = castle.inside("status").splitlines()
    assert not [line for line in statuses if not line.rstrip().endswith("in place")]
    return said


def goes(castle) -> None:
    castle.inside("destroy", "--yes")
    assert castle.ask("/status")["machines"] == {}


@pytest.mark.lab
def test_shared_address(tmp_path):
    """Three control planes behind one address: SOPS, two Proxmox nodes, no tailnet, no Vault. One is reset, one loses its plug."""
    with rehearsed(tmp_path, "shared", EXAMPLES / "shared-address") as castle:
        assert "https://www.orchard.example says: Apples" in comes_up(castle)
        certificate = castle.kubectl("get", "secret", "-n", "site", "site-tls")["data"]
        assert certificate.keys() == {"tls.crt", "tls.key"}, "Flux has decrypted it"
        (claim,) = castle.kubectl("get", "persistentvolumeclaims", "-n", "site")["items"]
        assert (claim["spec"]["storageClassName"], claim["status"]["phase"]) == ("local-path", "Bound")

        talos = Talosctl(castle, load(castle.folder).machines)
        talos.reset("orchard-2")
        castle.inside("create", "--budget", BUDGET)
        talos.until_ready()
        members = talos.at("orchard-1", "etcd", "members")
        assert all(f"https://10.20.30.{number}:2380" in members for number in (11, 12, 13)), members

        holder = next(name for name in ("orchard-1", "orchard-2", "orchard-3") if holds_shared_address(talos, name))
        run_power(castle, "stop", holder)
        until(lambda: answers(castle), "another control plane has the address and answers")
        run_power(castle, "start", holder)
        talos.until_ready()
        goes(castle)


def answers(castle) -> bool:
    """Whether the API does, at the shared address."""
    ended, _, _ = castle.run("lab", "run", "--lab-name", castle.lab.name, "--", "kubectl", "get", "--raw", "/readyz")
    return ended == 0


def holds_shared_address(talos, name: str) -> bool:
    return "10.20.30.10/32" in talos.at(name, "get", "addresses")


@pytest.mark.long
def test_external_secrets_of_flux(tmp_path):
    with rehearsed(tmp_path, "heron", EXAMPLES / "operator-of-flux") as castle:
        assert "https://www.heron.example says: Herons" in comes_up(castle)
        (release,) = [
            item
            for item in castle.kubectl("get", "helmreleases", "-A")["items"]
            if item["metadata"]["name"] == "external-secrets"
        ]
        assert ready(release), "it is Flux that has installed it"
        goes(castle)


@pytest.mark.long
def test_one_machine_alone(tmp_path):
    with rehearsed(tmp_path, "alone", EXAMPLES / "alone") as castle:
        comes_up(castle)
        assert len(castle.kubectl("get", "nodes")["items"]) == 1
        goes(castle)


@pytest.mark.long
def test_control_planes_only(tmp_path):
    """MetalLB announces the site from them; all of them off and on again, the site answers by itself."""
    with rehearsed(tmp_path, "trio", EXAMPLES / "control-planes") as castle:
        assert "https://www.trio.example says: Trio" in comes_up(castle)
        names = [machine.name for machine in load(castle.folder).machines.nodes]
        assert names == ["trio-1", "trio-2", "trio-3"]
        for action in ("stop", "start"):
            for name in names:
                run_power(castle, action, name)
        Talosctl(castle, load(castle.folder).machines).until_ready(300)
        verify = castle.in_lab("verify", "--budget", "60")
        until(lambda: castle.run(*verify)[0] == 0, "everything is there again by itself, and the site answers", 300)
        goes(castle)
