"""Patches of the castle's own: which machine gets which, and in which order."""

import os

import pytest
import yaml

from rebirth.castle import ClusterDns, Identity
from rebirth.castle.storage import data_path_of
from rebirth.errors import SpecError
from rebirth.phases.made.machine_patches import Wanted
from rebirth.run.facts import NodeKeyMinted
from rebirth.secrets import Secret


@pytest.fixture
def outside(tmp_path, outside):
    for name in ("all", "planes", "workers"):
        (outside.paths.castle / f"{name}.yaml").write_text(f"machine: {{sysctls: {{{name}: '1'}}}}\n")
    return outside


def of(outside, index, *, node_key=..., dns=True, **named):
    castle = outside.castle
    key = castle.tailscale.node_key if node_key is ... else node_key
    talos = castle.talos.model_copy(update=named)
    wanted = Wanted(
        outside.paths.castle, Identity(name=castle.name), castle.machines, talos, castle.kubernetes, data_path_of(castle.storage),
        ClusterDns(ours=dns), key, castle.engine.registry_logins,
    )  # fmt: skip
    minted = NodeKeyMinted(Secret("key"), "id") if key else None
    return wanted.patches(castle.machines.nodes[index], outside.secrets, minted)


NAMED = {"patches": ["all.yaml"], "control_plane_patches": ["planes.yaml"], "worker_patches": ["workers.yaml"]}


@pytest.mark.parametrize(("index", "role"), [(0, "planes"), (1, "workers")])
def test_a_machine_gets_those_for_all_and_after_them_those_of_its_role(outside, index, role):
    assert outside.castle.machines.nodes[index].role == ("controlplane" if role == "planes" else "worker")
    own = [text for text in of(outside, index, **NAMED) if "sysctls" in text]
    assert own == [f"machine: {{sysctls: {{{name}: '1'}}}}\n" for name in ("all", role)]


def test_a_machines_own_patches_come_last_and_a_patch_may_stand_in_castle_yaml(outside):
    own = {"machine": {"sysctls": {"own": "1"}}}
    plane = outside.castle.machines.nodes[0].model_copy(update={"patches": [own]})
    nodes = [plane, *outside.castle.machines.nodes[1:]]
    machines = outside.castle.machines.model_copy(update={"nodes": nodes})
    outside.castle = outside.castle.model_copy(update={"machines": machines})
    assert yaml.safe_load(of(outside, 0, **NAMED)[-1]) == own
    assert len(of(outside, 1, **NAMED)) == len(of(outside, 0, **NAMED)) - 1, "no other machine gets it"


def test_control_planes_share_an_address_and_workers_do_not(outside):
    shared = outside.castle.machines.model_copy(update={"shared_address": "192.168.50.10"})
    outside.castle = outside.castle.model_copy(update={"machines": shared})
    plane, worker = (yaml.safe_load(of(outside, index)[0])["machine"]["network"]["interfaces"] for index in (0, 1))
    assert plane[0]["vip"] == {"ip": "192.168.50.10"}
    assert "vip" not in worker[0]


def test_a_pipe_is_no_patch(outside):
    os.mkfifo(outside.paths.castle / "pipe.yaml")
    with pytest.raises(SpecError, match=r"pipe\.yaml: a FIFO, not a file") as caught:
        of(outside, 0, patches=["pipe.yaml"])
    assert "talos.patches" in caught.value.hint


@pytest.mark.parametrize("index", [0, 1])
def test_the_node_is_known_by_its_address_on_the_lan_and_not_on_the_tailnet(outside, index):
    network = str(outside.castle.machines.network)
    ours = yaml.safe_load(of(outside, index)[0])
    assert ours["machine"]["kubelet"]["nodeIP"] == {"validSubnets": [network]}
    etcd = ours["cluster"].get("etcd")
    assert (etcd or {}).get("advertisedSubnets") == ([network] if index == 0 else None)


def test_a_castle_without_a_tailnet_starts_no_tailscale(outside):
    assert any("TS_AUTHKEY" in text for text in of(outside, 0))
    assert not any("TS_" in text for text in of(outside, 0, node_key=None))


@pytest.mark.parametrize("ours", [True, False])
def test_talos_brings_its_coredns_where_the_castle_brings_none(outside, ours):
    cluster = yaml.safe_load(of(outside, 0, dns=ours)[0])["cluster"]
    assert cluster.get("coreDNS") == ({"disabled": True} if ours else None)


def test_the_kubelet_is_shown_where_volumes_are(outside):
    (mount,) = yaml.safe_load(of(outside, 0)[0])["machine"]["kubelet"]["extraMounts"]
    assert (mount["source"], mount["destination"]) == ("/var/lib/longhorn", "/var/lib/longhorn")
    assert "rshared" in mount["options"]


def test_a_cluster_without_workers_announces_from_its_control_planes(outside):
    machines = outside.castle.machines
    label = "node.kubernetes.io/exclude-from-external-load-balancers"
    assert "nodeLabels" not in yaml.safe_load(of(outside, 0)[0])["machine"]
    alone = outside.castle.model_copy(update={"machines": machines.model_copy(update={"nodes": machines.nodes[:1]})})
    outside.castle = alone
    assert yaml.safe_load(of(outside, 0)[0])["machine"]["nodeLabels"] == {label: {"$patch": "delete"}}


@pytest.mark.parametrize("cni", ["flannel", "cilium", "none"])
def test_who_connects_pods(outside, cni):
    kubernetes = outside.castle.kubernetes.model_copy(update={"cni": cni, "kube_proxy": cni != "cilium"})
    outside.castle = outside.castle.model_copy(update={"kubernetes": kubernetes})
    plane, worker = (yaml.safe_load(of(outside, index)[0])["cluster"] for index in (0, 1))
    assert (
        plane["network"].get("cni") == worker["network"].get("cni") == (None if cni == "flannel" else {"name": "none"})
    )
    assert plane.get("proxy") == ({"disabled": True} if cni == "cilium" else None)


def test_without_storage_nothing_is_mounted(outside):
    outside.castle = outside.castle.model_copy(update={"storage": None})
    assert "extraMounts" not in yaml.safe_load(of(outside, 0)[0])["machine"]["kubelet"]
