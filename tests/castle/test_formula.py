"""Machines that are counted, not named one by one."""

import pytest

SIZE = {"cores": 2, "memory_mib": 4096, "disk_gib": 20}


@pytest.fixture
def counted(draft):
    del draft["machines.nodes"]
    draft["machines.control_planes"] = {"count": 3, "first_address": "192.168.50.11", **SIZE}
    draft["machines.workers"] = {"count": 2, "name": "w{n}-a", "first_address": "192.168.50.21", **SIZE}
    return draft


def test_names_and_addresses_are_counted_up(counted):
    machines = counted.load().machines
    assert [(one.name, str(one.address), one.role) for one in machines.nodes] == [
        ("control-plane-1", "192.168.50.11", "controlplane"),
        ("control-plane-2", "192.168.50.12", "controlplane"),
        ("control-plane-3", "192.168.50.13", "controlplane"),
        ("w1-a", "192.168.50.21", "worker"),
        ("w2-a", "192.168.50.22", "worker"),
    ]
    assert {one.cores for one in machines.nodes} == {2}
    assert len(machines.control_planes) == 3
    assert len({mac for mac, _ in machines.cards("tower").values()}) == 5


def test_besides_machines_that_are_named(counted):
    own = {"name": "big", "role": "worker", "address": "192.168.50.40", **SIZE, "cores": 16}
    counted["machines.nodes"] = [own]
    assert [one.name for one in counted.load().machines.workers] == ["big", "w1-a", "w2-a"]


def test_what_a_castle_says_twice_is_the_same_castle(counted):
    castle = counted.load()
    again = type(castle).model_validate_json(castle.model_dump_json(exclude_unset=True, by_alias=True))
    assert [one.name for one in again.machines.nodes] == [one.name for one in castle.machines.nodes]


@pytest.mark.parametrize(
    ("path", "value", "at", "said"),
    [
        ("workers.count", 0, "workers.count", "at least 1"),
        ("workers.count", 300, "workers.count", "at most 200"),
        ("workers.count", 90, "machines.workers.count", "are not in 192.168.50.0/24"),
        ("workers.first_address", "192.168.50.13", "address", "two machines have the address 192.168.50.13"),
        ("workers.name", "worker", "workers.name", "in which {n} is the number"),
        ("workers.name", "{n}-W", "workers.name", "in which {n} is the number"),
        ("control_planes.count", 2, "machines", "etcd needs an odd number"),
        ("control_planes.core", 2, "control_planes.core", "did you mean cores?"),
    ],
)
def test_what_cannot_be_counted(counted, path, value, at, said):
    if path == "workers.count" and value == 90:
        counted["machines.workers.first_address"] = "192.168.50.201"
    counted[f"machines.{path}"] = value
    (problem,) = counted.refused()
    assert problem.path.endswith(at)
    assert said in problem.message


def test_no_machines_at_all(draft):
    del draft["machines.nodes"]
    (problem,) = draft.refused()
    assert (problem.path, problem.message.partition(":")[0]) == ("machines", "has no machines")
