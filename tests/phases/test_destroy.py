"""Destroy, on an outside that a castle was created in: all of it goes, nothing else does, and a lost journal loses nothing."""

import pytest

from rebirth.errors import Broken
from rebirth.lab.faults import Fault
from rebirth.lab.proxmox import Volume
from rebirth.run.destroy import destroy

OURS, OPERATOR = "tag:tazlab-k8s", "tag:k8s-operator"


async def add_machine(outside, vm_id, name, tag):
    await outside.proxmox.create(
        vm_id=vm_id, name=name, cores=1, memory_mib=1024, disk_gib=10, disk_storage="local-lvm", bridge="vmbr0",
        image="local:iso/talos.iso", tag=tag,
    )  # fmt: skip


@pytest.fixture
async def ruin(outside):
    """A castle's machines, devices, key and files, and beside each something that is not its own. `await ruin()` destroys."""
    outside.pve.storage("local").volumes["local:iso/talos.iso"] = Volume("iso", 1 << 20)
    await add_machine(outside, 800, "lushycorp-k8s", outside.castle.proxmox.tag)
    await add_machine(outside, 801, "tazlab-k8s-worker-1", outside.castle.proxmox.tag)
    await add_machine(outside, 802, "lushycorp-k8s", "theirs")
    await outside.proxmox.start(vm_id=800)
    tailnet = outside.tailnet
    for name, tags in (
        ("lushycorp-k8s", (OURS,)),
        ("lushycorp-k8s", (OURS,)),  # becomes lushycorp-k8s-1
        ("tazlab-k8s-operator", (OPERATOR,)),
        ("tazlab-k8s-worker-1", ()),  # somebody's own, without a tag of ours
        ("elsewhere", (OURS,)),  # of another castle that shares the tag
        ("lushycorp-vault", ()),
    ):
        tailnet.add_device(name, tags=tags)
    for description in ("rebirth tazlab-k8s", "rebirth other"):
        await outside.tailscale.mint_key(
            tags=[OURS], seconds=3600, reusable=True, ephemeral=True, description=description
        )
    for file in (outside.place.kubeconfig, outside.place.talosconfig, outside.place.talos_secrets):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("nonsense")
    said: list[str] = []

    async def run(patience=20):
        await destroy(outside.castle, outside.place, outside.redaction, said.append, patience=patience)
        return said

    return run


def names_left(outside):
    keys = [key.description for key in outside.tailnet.keys.values() if not outside.tailnet.invalid(key)]
    devices = sorted(device.name for device in outside.tailnet.devices.values())
    return sorted(outside.pve.machines), devices, keys


LEFT = ([802], ["elsewhere", "lushycorp-vault", "tazlab-k8s-worker-1"], ["rebirth other"])


async def test_all_of_it_and_nothing_else(outside, ruin):
    said = await ruin()
    assert names_left(outside) == LEFT
    assert said[-1] == "nothing is left"
    assert any("removed the key" in line for line in said)
    assert not any(file.exists() for file in outside.place.produced.glob("*"))
    assert sorted(outside.pve.hypervisor.destroyed) == [800, 801]
    before = outside.writes
    await ruin()
    assert outside.writes == before, "there was nothing to remove"


@pytest.mark.parametrize("system", ["proxmox", "tailscale"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_answer_that_gets_lost(outside, ruin, system, method):
    """A request is carried out, but what it said is lost: destroy looks again, and goes on."""
    outside.faults.set(system, Fault(lose=True, times=1, method=method))
    await ruin()
    assert names_left(outside) == LEFT


async def test_a_machine_that_is_still_being_created(outside, ruin):
    whole, condition = outside.pve.machines[801], outside.pve.conditions[801]
    outside.pve.machines[801], condition.lock = {"name": "VM 801"}, "create"
    with pytest.raises(Broken, match="saw last: Proxmox is still creating the machine 801"):
        await ruin(patience=1.5)
    outside.pve.machines[801], condition.lock = whole, None
    await ruin()
    assert names_left(outside) == LEFT


async def test_an_outside_that_does_not_answer(outside, ruin):
    outside.faults.set("proxmox", Fault(die=True))
    with pytest.raises(Broken, match="remove machines: not done after 2 s; saw last: Proxmox: list machines") as caught:
        await ruin(patience=1.5)
    assert "proxmox.endpoint" in caught.value.hint
    assert outside.place.talos_secrets.exists(), "what was not proven gone keeps its credentials"


async def test_a_machine_that_will_not_go(outside, ruin):
    outside.pve.machines[801]["protection"] = "1"
    with pytest.raises(Broken, match="protection mode enabled"):
        await ruin()
