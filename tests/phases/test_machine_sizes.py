"""Cores and memory of a machine that is there: what is foretold, and what is done."""

import pytest

from phases.test_machines import yard
from rebirth.errors import Differs
from rebirth.phases import create_machines
from rebirth.run.change import How

__all__ = ["yard"]


@pytest.mark.parametrize(("option", "value"), [("cores", "2"), ("memory", "4096")])
async def test_a_machine_of_another_size_gets_that_of_castle_yaml(yard, option, value):
    fact = await yard.create()
    had = yard.pve.machines[801][option]
    yard.pve.machines[801][option] = value
    with pytest.raises(Differs, match=f"machine tazlab-k8s-worker-1: {value} .* become {had}"):
        await yard.still(fact)
    await yard.create()
    assert yard.pve.machines[801][option] == had
    assert await yard.still(fact)


async def test_one_that_runs_is_restarted_for_it(yard):
    fact = await yard.create()
    await yard.start_all(fact)
    yard.pve.machines[801]["memory"] = "4096"
    await yard.create()
    assert yard.pve.machines[801]["memory"] == "16384"
    assert 801 in yard.pve.hypervisor.started
    assert yard.pve.conditions[801].pending == {}


async def test_a_size_that_its_node_has_not(yard):
    await yard.create()
    nodes = [node.model_copy(update={"memory_mib": 100_000}) for node in yard.castle.machines.nodes]
    machines = yard.castle.machines.model_copy(update={"nodes": nodes})
    yard.castle = yard.castle.model_copy(update={"machines": machines})
    said = await create_machines.changes(machines, yard.castle.proxmox, yard.outside.paths, yard.proxmox)
    assert {change.how for change in said} == {How.REFUSED}
    assert "the node pve has 65536 MiB" in said[0].why
    before = dict(yard.faults.writes)
    await yard.create()
    assert yard.faults.writes == before
