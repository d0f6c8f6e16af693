"""Machines that are lost are replaced, and machines come and go; volumes on their disks are lost, which is said first."""

import pytest

from lab.switching import run_power, until
from lab.talosctl import Talosctl
from lab.test_examples import BUDGET, goes
from rebirth.castle import load
from rehearsal import EXAMPLES, rehearsed


@pytest.mark.lab
@pytest.mark.long
def test_lost_machines_are_replaced_and_others_come_and_go(tmp_path):
    with rehearsed(tmp_path, "replaced", EXAMPLES / "shared-address") as castle:
        castle.inside("create", "--budget", BUDGET)
        seen = boots(castle)
        home = home_of_the_volume(castle)

        # A worker, and the volume on its disk.
        lose(castle, home)
        said = refused(castle)
        assert f"{home}: gone, and no sound copy is left of the volume pvc-" in said
        assert "(claim site/notes, used by the pod site-" in said
        assert castle.ask("/status")["machines"].keys() == seen.keys() - {home}, "nothing was made"
        castle.inside("create", "--accept-loss", "--budget", BUDGET)
        assert names(castle) == seen.keys()
        assert holds(castle)

        # A control plane: the one that the kubeconfig's endpoint does not hang on, and the others go on.
        lose(castle, "orchard-1")
        assert "took orchard-1, which is gone, out of etcd" in castle.inside("create", "--budget", BUDGET)
        assert members(castle) == ["orchard-1", "orchard-2", "orchard-3"]
        assert holds(castle)
        others = {name: life for name, life in boots(castle).items() if name not in {home, "orchard-1"}}
        assert others.items() <= seen.items(), "no other machine was started anew"

        # One more, then without it again.
        before = boots(castle)
        spec = castle.folder / "castle.yaml"
        told = spec.read_text()
        line = next(line for line in told.splitlines() if "orchard-5" in line)
        more = line.replace("orchard-5", "orchard-6").replace("10.20.30.22", "10.20.30.23")
        spec.write_text(told.replace(line, f"{line}\n{more}"))
        castle.inside("create", "--budget", BUDGET)
        assert names(castle) == {*seen, "orchard-6"}
        assert before.items() <= boots(castle).items(), "no other machine was touched"
        spec.write_text(told)
        assert "`rebirth create --remove orchard-6` drains it" in castle.inside("create", "--budget", BUDGET, code=4)
        assert names(castle) == {*seen, "orchard-6"}
        castle.inside("create", "--remove", "orchard-6", "--budget", BUDGET)
        assert names(castle) == seen.keys()
        assert before == boots(castle)
        assert holds(castle)
        goes(castle)


@pytest.mark.lab
@pytest.mark.long
def test_a_lost_worker_comes_back_under_its_name_on_the_tailnet(tmp_path):
    """With the database on its disk, whose password was handed over. It is made anew while its old device still counts as there."""
    with rehearsed(tmp_path, "worker") as castle:
        castle.inside("create", "--budget", BUDGET)
        lose(castle, "tazlab-k8s-worker-1")
        said = refused(castle)
        assert "(claim tazlab-db/pgdata-tazlab-db-instance1-0, used by the pod tazlab-db-instance1-0)" in said
        castle.inside("create", "--accept-loss", "--budget", BUDGET)
        devices = castle.ask("/status")["devices"]
        assert {"lushycorp-k8s", "tazlab-k8s-worker-1"} <= set(devices)
        assert not [name for name in devices if name.startswith("tazlab-k8s-worker-1-")], devices
        assert names(castle) == {"lushycorp-k8s", "tazlab-k8s-worker-1"}
        assert holds(castle)


def lose(castle, name: str) -> None:
    run_power(castle, "stop", name)
    run_power(castle, "delete", name)


def refused(castle) -> str:
    """What create complains about, when it stops."""
    ended, said, complained = castle.run(*castle.in_lab("create", "--budget", BUDGET))
    assert ended == 1, said
    return complained


def names(castle) -> set[str]:
    """The nodes, which are also the machines."""
    found = {node["metadata"]["name"] for node in castle.kubectl("get", "nodes")["items"]}
    assert found == castle.ask("/status")["machines"].keys()
    return found


def holds(castle) -> bool:
    """Whether status says that all is in place, once everything has come to rest."""
    command = castle.in_lab("status")
    until(lambda: castle.run(*command)[0] == 0, "all is in place", 120)
    return True


def boots(castle) -> dict[str, str]:
    """Each machine's boot id."""
    talos = Talosctl(castle, load(castle.folder).machines)
    return {name: talos.read(name, "/proc/sys/kernel/random/boot_id") for name in talos.machines}


def members(castle) -> list[str]:
    rows = Talosctl(castle, load(castle.folder).machines).at("orchard-2", "etcd", "members").splitlines()[1:]
    assert all(row.split()[-1] == "false" for row in rows), "no learner"
    return sorted(row.split()[2] for row in rows)


def home_of_the_volume(castle) -> str:
    (volume,) = castle.kubectl("get", "persistentvolumes")["items"]
    (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    return term["matchExpressions"][0]["values"][0]
