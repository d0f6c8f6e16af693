"""Machines that castle.yaml no longer names: nothing is done without a word; then drained, out of etcd, gone everywhere."""

import asyncio

import pytest

from phases.standing import standing
from rebirth.errors import Broken, SpecError
from rebirth.events import Events, Waiting
from rebirth.phases import BOOTSTRAP, remove_machines
from rebirth.phases.made import machine_records as records
from rebirth.run.change import How
from rebirth.run.consent import Consent
from rebirth.run.create import create


@pytest.fixture
async def castle(outside, serve):
    async with standing(outside, serve) as found:
        yield found


async def removed(castle, *names, **consent):
    outcome = await castle.run(remove_machines, remove=names, **consent)
    assert outcome.ok, outcome.failures
    return castle.vms


async def refused(castle, *names, **consent):
    failure = (await castle.run(remove_machines, remove=names, **consent)).failures["remove_machines"]
    assert isinstance(failure, Broken)
    return failure


async def holds(castle):
    return (await castle.run(remove_machines, may_run=False)).ok


def devices(castle):
    return {device.name for device in castle.outside.control.devices.values()}


async def test_from_nothing_nothing_is_destroyed_without_a_word(castle):
    castle.without("worker-2")
    assert await removed(castle) == {"plane-1", "plane-2", "plane-3", "worker-1", "worker-2"}
    assert "worker-2 (804) has this castle's tag" in castle.said
    assert "`rebirth create --remove worker-2` drains it" in castle.said
    assert castle.writes == []
    assert castle.outside.writes == {}
    (change,) = await remove_machines.changes(castle.castle.machines, castle.castle.proxmox, castle.outside.proxmox)
    assert (change.what, change.how) == ("machine worker-2", How.REFUSED), "plan and status say that it is there"
    assert await holds(castle), "and the rest can be asked"


async def test_a_worker_is_drained_and_gone_everywhere(castle):
    castle.without("worker-2")
    castle.pod("web-0", "worker-2")
    castle.pod("web-1", "worker-1")
    castle.pod("exporter", "worker-2", kept_by="DaemonSet")
    castle.pod("static", "worker-2", kept_by="Node", annotations={"kubernetes.io/config.mirror": "x"})
    assert "worker-2" not in await removed(castle, "worker-2")
    assert castle.writes == ["patch nodes worker-2", "delete pods site/web-0", "delete nodes worker-2"]
    assert devices(castle) == {"plane-1", "plane-2", "plane-3", "worker-1"}
    assert records.known(castle.paths, "worker-2") is None
    assert await holds(castle)


async def test_again(castle):
    assert len(await removed(castle)) == 5
    assert await holds(castle)
    assert await removed(castle, "worker-9") == castle.vms
    assert "there is no machine worker-9" in castle.said
    assert castle.writes == []


@pytest.mark.parametrize("number", range(1, 4))
async def test_killed(castle, number):
    castle.without("worker-2")
    castle.pod("web-0", "worker-2")
    await castle.kill_at(number, remove_machines, remove=("worker-2",))
    assert "worker-2" in castle.vms, "until all else is done it is there to be found again"
    assert "worker-2" not in await removed(castle, "worker-2")
    assert "worker-2" not in castle.nodes | devices(castle)


async def test_killed_after_each_write_to_proxmox(castle):
    castle.without("worker-2")
    await castle.outside.killed_after_each_write("proxmox", lambda: removed(castle, "worker-2"))
    assert "worker-2" not in castle.vms | castle.nodes | devices(castle)


async def test_refused_by_a_disruption_budget_until_it_allows_it(castle):
    castle.without("worker-2")
    castle.pod("web-0", "worker-2", labels={"app": "web"})
    meta = {"name": "web", "namespace": "site"}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta}
    castle.kubernetes.put({**budget, "spec": {"selector": {"matchLabels": {"app": "web"}}}})
    castle.budget = 10
    failure = await refused(castle, "worker-2")
    assert "the pod site/web-0 does not go: Cannot evict pod as it would violate" in str(failure)
    assert "The disruption budget web needs 1 healthy pods and has 1 currently" in str(failure)
    assert "PodDisruptionBudget" in failure.hint
    assert "worker-2" in castle.vms & castle.nodes
    castle.budget = None
    removing = asyncio.ensure_future(removed(castle, "worker-2"))
    while not any(isinstance(event, Waiting) for event in castle.events):
        await asyncio.sleep(0.1)
    castle.kubernetes.status({**budget}, {"disruptionsAllowed": 1})
    assert "worker-2" not in await removing


async def test_refused_where_a_volume_lies_on_it_alone(castle):
    castle.without("worker-2")
    castle.volume("data", "worker-2", pod="web-0")
    castle.pod("alone", "worker-2", kept_by="")
    failure = await refused(castle, "worker-2")
    assert "the volume pv-data (claim site/data, used by the pod web-0)" in str(failure)
    assert "the pod site/alone, which nobody makes anew" in str(failure)
    assert "--accept-loss" in failure.hint
    assert castle.writes == []
    assert "worker-2" not in await removed(castle, "worker-2", loss=True)
    assert castle.kubernetes.all("v1", "PersistentVolumeClaim") == []


async def test_two_control_planes_of_three_leave_etcd_one_after_the_other(castle):
    castle.without("plane-2", "plane-3")
    address = {name: where for where, name in castle.talos.hostnames.items()}
    assert await removed(castle, "plane-2", "plane-3") == {"plane-1", "worker-1", "worker-2"}
    etcd = [what for what in castle.writes if what.startswith(("leave", "delete nodes"))]
    assert etcd == [
        f"leave {address['plane-2']}",
        "delete nodes plane-2",
        f"leave {address['plane-3']}",
        "delete nodes plane-3",
    ]


async def test_a_control_plane_that_is_off_is_taken_out_by_another(castle):
    castle.without("plane-3")
    await castle.outside.proxmox.stop(node="pve", vm_id=802)
    address = next(where for where, name in castle.talos.hostnames.items() if name == "plane-3")
    castle.talos.machines.pop(address)
    castle.talos.dead.add("plane-3")
    assert "plane-3" not in await removed(castle, "plane-3")
    assert "remove-member plane-3" in castle.writes


async def test_refused_where_it_is_the_last_in_etcd(castle):
    """And before anything is done to it: its pods stay where they are."""
    for name in ("plane-2", "plane-3"):
        castle.talos.machines[str(castle.machine(name).address)].etcd = False
    castle.without("plane-1", "plane-3")
    castle.pod("web-0", "plane-1")
    castle.budget = 60
    assert "etcd runs on none of plane-2" in str(await refused(castle, "plane-1"))
    assert castle.writes == []
    assert "plane-1" in castle.vms


async def test_refused_where_castle_yaml_names_it(castle):
    work = create(
        BOOTSTRAP,
        castle.castle,
        castle.paths,
        Events(),
        castle.outside.redaction,
        consent=Consent(remove=("worker-1",)),
    )
    with pytest.raises(SpecError, match=r"--remove worker-1: castle\.yaml names this machine"):
        await work
