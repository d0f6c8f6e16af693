"""What a machine is made of: said for all, or for one."""

import pytest
from pydantic import ValidationError

from castle.test_machines import PLANE, WORKER, machines


def test_what_is_said_for_all_holds_where_a_machine_does_not_say_otherwise():
    castle = machines(
        PLANE, {**WORKER, "cpu": {"type": "host"}}, defaults={"cpu": {"type": "x86-64-v2-AES"}, "agent": True}
    )
    plane, worker = (castle.hardware(machine) for machine in castle.nodes)
    assert (plane.cpu.type, worker.cpu.type) == ("x86-64-v2-AES", "host")
    assert plane.agent
    assert worker.agent


@pytest.mark.parametrize(
    ("hardware", "words"),
    [
        ({"secure_boot": True}, r"at nodes\[0\].secure_boot: needs `firmware: uefi`"),
        ({"pci": [{"mapping": "gpu"}]}, r"at nodes\[0\].pci: PCI Express needs"),
        ({"disks": [{"name": "a", "size_gib": 1}, {"name": "a", "size_gib": 2}]}, "two disks have the name a"),
        ({"vlan": 4095}, "less than or equal to 4094"),
        ({"taints": {"gpu": "true"}}, "must be VALUE:EFFECT"),
        ({"cpu": {"type": "a b"}}, "must be a CPU type"),
    ],
)
def test_what_does_not_go_together(hardware, words):
    with pytest.raises(ValidationError, match=words):
        machines({**PLANE, **hardware})


@pytest.mark.parametrize(
    ("key", "fine"),
    [
        ("node-role.kubernetes.io/worker", False),
        ("kubernetes.io/anything", False),
        ("topology.kubernetes.io/zone", True),
        ("node.kubernetes.io/rack", True),
        ("example.org/rack", True),
    ],
)
def test_a_worker_may_not_give_itself_every_label(key, fine):
    machines({**PLANE, "labels": {key: "x"}})
    if fine:
        machines(PLANE, {**WORKER, "labels": {key: "x"}})
    else:
        with pytest.raises(ValidationError, match="NodeRestriction"):
            machines(PLANE, {**WORKER, "labels": {key: "x"}})


def test_pods_run_on_control_planes_where_there_is_nothing_else():
    assert machines(PLANE).pods_on_control_planes
    assert not machines(PLANE, WORKER).pods_on_control_planes
    assert machines(PLANE, WORKER, schedulable_control_planes=True).pods_on_control_planes


def test_an_installer_that_is_given_has_to_be_for_secure_boot(draft):
    draft["machines.defaults"] = {"secure_boot": True, "firmware": "uefi", "machine_type": "q35"}
    (problem,) = draft.refused()
    assert problem.path == "talos.installer"
    assert "this installer is not for it" in problem.message


@pytest.mark.parametrize(("path", "fine"), [("/var/lib/longhorn", False), ("/var/mnt/longhorn/", True)])
def test_a_disk_for_storage_is_where_the_chart_keeps_its_volumes(draft, path, fine):
    draft["machines.nodes.1.disks"] = [{"name": "longhorn", "size_gib": 200, "purpose": "storage"}]
    draft["storage.values"] = {"defaultSettings": {"defaultDataPath": path}}
    if fine:
        assert draft.load().machines.nodes[1].disks[0].mount == "/var/mnt/longhorn"
    else:
        (problem,) = draft.refused()
        assert problem.path == "storage.values"
        assert "the disk for them is at /var/mnt/longhorn of tazlab-k8s-worker-1" in problem.message
