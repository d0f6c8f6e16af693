"""Machines that somebody else made: they answer, in maintenance mode or to this castle. Destroy resets them."""

from functools import partial

from rebirth.castle import Existing, Machine, Machines
from rebirth.errors import NotYet
from rebirth.phases.bootstrap_kubernetes import ETCD
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import MachinesBooted, Made, OutsideReached
from rebirth.run.journal import Once
from rebirth.run.waiting import together, until

LAYER = "platform"
PATIENCE = 1800  # somebody has to switch them on
WAITS = True
HINT = "Are the machines on? See their consoles: do they boot Talos' image, and have they the addresses of castle.yaml?"

_OTHERS = "it does not answer to this castle's credentials; reset it with talosctl where they are, or install it anew"
_KEPT = "existing.reset_on_destroy is false"


async def await_machines(
    existing: Existing, machines: Machines, talosctl: Talosctl, once: Once, outside: OutsideReached
) -> MachinesBooted:
    """Wait for the machines."""
    await together(
        *(
            until(partial(talosctl.listens, address=str(one.address)), what=f"{one.name} answers", every=1, slowest=5)
            for one in machines.nodes
        )
    )
    ours = await together(*(talosctl.answers(address=str(one.address)) for one in machines.control_planes))
    if not any(ours):
        once.forget(ETCD)  # what was bootstrapped before went when they were reset
    return MachinesBooted({})


async def found(machines: Machines) -> MachinesBooted:
    return MachinesBooted({})


async def still(fact: MachinesBooted, machines: Machines, talosctl: Talosctl) -> bool:
    await together(*(talosctl.listens(address=str(one.address)) for one in machines.nodes))
    return True


async def undo(existing: Existing, machines: Machines, talosctl: Talosctl) -> list[Made]:
    """The configuration of the machines, which are reset."""
    states = await together(*(_state(one, existing, talosctl) for one in machines.nodes))
    return [made for made in states if made]


async def _state(machine: Machine, existing: Existing, talosctl: Talosctl) -> Made | None:
    """What of this castle is on the machine; None: nothing, it waits for a configuration, or it is off."""
    address = str(machine.address)
    if await talosctl.answers(address=address):
        if not existing.reset_on_destroy:
            return Made("machine", machine.name, address, stays=_KEPT)
        return Made("configuration of the machine", machine.name, address, partial(_reset, machine, talosctl))
    try:
        await talosctl.listens(address=address)
    except NotYet:
        return None
    if await talosctl.in_maintenance(address=address):
        return None
    return Made("machine", machine.name, address, stays=_OTHERS)


async def _reset(machine: Machine, talosctl: Talosctl) -> None:
    address = str(machine.address)
    await talosctl.reset(address=address)

    async def gone() -> None:
        if await talosctl.answers(address=address):
            raise NotYet("still answers to this castle's credentials")

    await until(gone, what=f"{machine.name} is reset", every=1, slowest=5)
