"""What status says of a castle that another machine made: it looks by names and tags, and nothing is remembered here."""

import pytest

from phases.ruins import somebodys
from rebirth.events import Events
from rebirth.lab.proxmox import Volume
from rebirth.lab.systems.faults import Fault
from rebirth.phases import BOOTSTRAP, PHASES
from rebirth.run import create as run
from rebirth.run.facts import MachinesBooted, MachinesConfigured, MachinesCreated

NAMES = {phase.makes: phase.name for phase in PHASES if phase.name != "await_machines"}  # those of Proxmox


@pytest.fixture
async def made(outside):
    """The image and the machines, made by somebody else; they do not run."""
    spec = outside.castle.proxmox
    volume = f"local:iso/{outside.image}"
    outside.pve.storage("local").volumes[volume] = Volume("iso", 1 << 20)
    for number, machine in enumerate(outside.castle.machines.nodes, 800):
        size = {"cores": machine.cores, "memory": machine.memory_mib}
        await outside.proxmox.create(node="pve", vm_id=number, options=somebodys(machine.name, spec.tag, volume) | size)
    return outside


async def status(outside) -> dict[str, tuple[str, str]]:
    outcome = await run.status(BOOTSTRAP, outside.castle, outside.paths, Events(), outside.redaction)
    return {found.phase: (found.verdict, found.why) for found in run.verdicts(BOOTSTRAP, outcome)}


async def test_what_is_there_is_found_by_its_marks_and_nothing_is_written(made):
    before = made.writes
    said = await status(made)
    assert said[NAMES[MachinesCreated]] == ("in place", "")
    assert said[NAMES[MachinesBooted]] == ("not in place", "")
    assert said[NAMES[MachinesConfigured]] == ("cannot tell", f"{NAMES[MachinesBooted]} is not in place")
    assert made.writes == before
    assert not made.paths.state.exists()

    for number in made.pve.machines:
        await made.proxmox.start(node="pve", vm_id=number)
    said = await status(made)
    assert said[NAMES[MachinesBooted]] == ("in place", "")
    assert said[NAMES[MachinesConfigured]] == (
        "cannot tell",
        "the castle's talosconfig is not in the produced folder",
    )


async def test_a_machine_that_is_missing_is_named(made):
    machine = made.castle.machines.nodes[1]
    await made.proxmox.delete(node="pve", vm_id=801)
    said = await status(made)
    assert said[NAMES[MachinesCreated]] == (
        "not in place",
        f"{machine.name}: no such machine with the tag {made.castle.proxmox.tag}",
    )


async def test_of_a_system_that_does_not_answer_nothing_is_said(made):
    made.faults.set("proxmox", Fault(status=503))
    said = await status(made)
    assert {verdict for verdict, _ in said.values()} == {"cannot tell"}
    assert any("HTTP 503" in why for _, why in said.values())
