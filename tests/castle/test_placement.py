"""Which machine stands on which node."""

import pytest
from pydantic import ValidationError

from castle.test_machines import PLANE, WORKER, machines
from rebirth.castle import placement
from rebirth.castle.proxmox import Proxmox

HOST = {
    "endpoint": "https://pve.lan:8006", "token": {"secret": "t"}, "image_storage": "local", "disk_storage": "lvm",
    "bridge": "vmbr0", "vm_ids": {"first": 800, "last": 899}, "tag": "mine",
}  # fmt: skip


def host(**named):
    return Proxmox.model_validate(HOST | named, strict=False)


def several(role, count, **named):
    made = PLANE if role == "controlplane" else WORKER
    offset = 10 if role == "controlplane" else 20
    return [{**made, "name": f"{role}-{n}", "address": f"10.0.0.{offset + n}"} | named for n in range(1, count + 1)]


def nodes_of(found):
    return [place.node for place in found.values()]


def test_control_planes_are_kept_apart_and_workers_too():
    castle = machines(*several("controlplane", 3), *several("worker", 3))
    assert nodes_of(placement(castle, host(nodes=["a", "b", "c"]))) == ["a", "b", "c", "a", "b", "c"]


def test_a_worker_goes_where_the_fewest_are():
    castle = machines(*several("controlplane", 1), *several("worker", 2))
    assert nodes_of(placement(castle, host(nodes=["a", "b"]))) == ["a", "b", "a"]


def test_a_machine_that_names_its_node_stands_there_and_is_counted():
    castle = machines(
        *several("controlplane", 1), *several("worker", 1, node="b"), {**WORKER, "name": "w", "address": "10.0.0.30"}
    )
    assert nodes_of(placement(castle, host(nodes=["a", "b"]))) == ["a", "b", "a"]


def test_storages_and_bridge_are_the_machines_own_or_the_sections():
    castle = machines(PLANE, {**WORKER, "disk_storage": "ceph"}, defaults={"bridge": "vmbr1"})
    plane, worker = placement(castle, host(node="a")).values()
    assert (plane.disk_storage, plane.bridge, plane.image_storage) == ("lvm", "vmbr1", "local")
    assert (worker.disk_storage, worker.bridge) == ("ceph", "vmbr1")


@pytest.mark.parametrize("named", [{}, {"node": "a", "nodes": ["b"]}])
def test_one_node_or_a_list(named):
    with pytest.raises(ValidationError, match="say `node`, or `nodes`"):
        host(**named)
