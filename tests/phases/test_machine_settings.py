"""What castle.yaml says of single machines, as Talos is told it."""

from ipaddress import IPv4Address

import pytest
import yaml

from phases.test_machine_patches import of
from rebirth.castle import Machine
from rebirth.phases.made.machine_settings import EXCLUDED
from rebirth.phases.made.virtual_machines import wwn


@pytest.fixture
def told(outside):
    """`told(plane, worker, **machines)`: all documents of the two machines; worker None: there is none."""

    def tell(plane, worker=None, **more):
        given = [plane, worker] if worker is not None else [plane]
        nodes = [
            Machine.model_validate(node.model_dump(exclude_unset=True) | own, strict=False)
            for node, own in zip(outside.castle.machines.nodes, given, strict=False)
        ]
        machines = outside.castle.machines.model_copy(update={"nodes": nodes} | more)
        talos = more.pop("talos", {})
        outside.castle = outside.castle.model_copy(update={"machines": machines})
        return [[yaml.safe_load(text) for text in of(outside, index, **talos)] for index in range(len(nodes))]

    return tell


def test_of_several_cards_each_is_told_by_its_address(told):
    second = {"bridge": "vmbr1", "mac": "02:00:00:00:00:0a", "address": "10.9.0.5", "mtu": 9000}
    third = {"bridge": "vmbr1", "mtu": 1}
    plane, _ = told({"mac": "02:00:00:00:00:01", "mtu": 1400, "interfaces": [second, third]}, {})
    first, other, bare = plane[0]["machine"]["network"]["interfaces"]
    assert (first["deviceSelector"], first["mtu"]) == ({"hardwareAddr": "02:00:00:00:00:01"}, 1400)
    assert (other["deviceSelector"], other["addresses"]) == ({"hardwareAddr": "02:00:00:00:00:0a"}, ["10.9.0.5/24"])
    assert other["mtu"] == 9000
    assert bare["addresses"] == []
    assert "mtu" not in bare


def test_a_machine_with_one_card_is_told_what_it_always_was(told):
    plane, _ = told({}, {})
    assert plane[0]["machine"]["network"]["interfaces"] == [{
        "deviceSelector": {"physical": True}, "addresses": ["192.168.50.11/24"],
        "routes": [{"network": "0.0.0.0/0", "gateway": "192.168.50.1"}],
    }]  # fmt: skip
    assert plane[0]["machine"].keys() == {"network", "kubelet", "install", "registries"}
    assert plane[0]["machine"]["install"].keys() == {"image"}


def test_disks_are_volumes_and_the_system_keeps_its_own(outside, told):
    disks = [{"name": "longhorn", "size_gib": 200}, {"name": "raw", "size_gib": 10, "filesystem": None}]
    plane, worker = told({}, {"disks": disks})
    (volume,) = [document for document in worker if document.get("kind") == "UserVolumeConfig"]
    assert (volume["name"], volume["filesystem"]) == ("longhorn", {"type": "xfs"})
    machine = outside.castle.machines.nodes[1]
    named = {disk: wwn(outside.castle, machine, disk).removeprefix("0x") for disk in ("longhorn", "system")}
    assert volume["provisioning"]["diskSelector"] == {"match": f'disk.wwid == "naa.{named["longhorn"]}"'}
    assert worker[0]["machine"]["install"]["diskSelector"] == {"wwid": f"naa.{named['system']}"}
    assert not [document for document in plane if document.get("kind") == "UserVolumeConfig"]


def test_the_node_that_kubernetes_sees(told):
    own = {"labels": {"rack": "a"}, "annotations": {"note": "b"}, "taints": {"gpu": "true:NoSchedule"}}
    _, worker = told({}, own, ntp=["time.example", IPv4Address("192.168.50.1")])
    machine = worker[0]["machine"]
    assert machine["nodeLabels"] == {"rack": "a"}
    assert machine["nodeAnnotations"] == {"note": "b"}
    assert machine["nodeTaints"] == {"gpu": "true:NoSchedule"}
    assert machine["time"] == {"servers": ["time.example", "192.168.50.1"]}


def test_mirrors_stand_beside_logins(told, outside):
    plane, _ = told({}, {}, talos={"registry_mirrors": {"docker.io": ["https://mirror.lan"]}})
    registries = plane[0]["machine"]["registries"]
    assert registries["mirrors"] == {"docker.io": {"endpoints": ["https://mirror.lan"]}}
    assert "ghcr.io" in registries["config"]


def test_control_planes_alone_run_pods_and_announce_addresses(told):
    (plane,) = told({})
    assert plane[0]["cluster"]["allowSchedulingOnControlPlanes"] is True
    assert plane[0]["machine"]["nodeLabels"] == {EXCLUDED: {"$patch": "delete"}}


def test_beside_workers_they_do_neither(told):
    plane, worker = told({}, {})
    assert "allowSchedulingOnControlPlanes" not in plane[0]["cluster"]
    assert "nodeLabels" not in plane[0]["machine"]
    assert "allowSchedulingOnControlPlanes" not in worker[0]["cluster"]


def test_a_patch_of_the_castles_own_for_that_label_is_the_only_one(told):
    own = {"machine": {"nodeLabels": {EXCLUDED: {"$patch": "delete"}}}}
    (plane,) = told({"patches": [own]})
    assert "nodeLabels" not in plane[0]["machine"], "Talos does not delete twice"
