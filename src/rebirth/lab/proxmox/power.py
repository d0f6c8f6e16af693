"""Virtual machines, switched on and off, and the guest agent that none of them runs."""

import asyncio
import time
from contextlib import suppress
from typing import Any

from rebirth.lab.proxmox.drives import machine_of
from rebirth.lab.proxmox.errors import PveError
from rebirth.lab.proxmox.forms import AGENT, MACHINE
from rebirth.lab.proxmox.host import Log, Pve
from rebirth.lab.proxmox.kinds import FLAG, TEXT, Kind, Kinds, one_of, whole
from rebirth.lab.proxmox.method import Answer, Call, Method
from rebirth.lab.proxmox.rights import perm

_POLL = 0.05  # seconds
_SHUTDOWN = 60.0  # seconds that a machine has to obey the power button (qm(1))
_TIMEOUT: Kinds = {"timeout": whole(0)}
_ACTIONS: dict[str, tuple[str, Kinds]] = {  # action -> task, parameters
    "start": (
        "qmstart",
        {
            "force-cpu": TEXT,
            "machine": Kind(form=MACHINE),
            "migratedfrom": TEXT,
            "migration_network": TEXT,
            "migration_type": one_of("secure insecure"),
            "nets-host-mtu": Kind(pattern=r"net\d+=\d+(,net\d+=\d+)*"),
            "skiplock": FLAG,
            "stateuri": Kind(longest=128),
            "targetstorage": TEXT,
            "with-conntrack-state": FLAG,
            **_TIMEOUT,
        },
    ),
    "stop": (
        "qmstop",
        {"keepActive": FLAG, "migratedfrom": TEXT, "overrule-shutdown": FLAG, "skiplock": FLAG, **_TIMEOUT},
    ),
    "shutdown": ("qmshutdown", {"forceStop": FLAG, "keepActive": FLAG, "skiplock": FLAG, **_TIMEOUT}),
    "reboot": ("qmreboot", _TIMEOUT),
    "reset": ("qmreset", {"skiplock": FLAG}),
}


async def on(pve: Pve, vmid: int) -> None:
    condition = pve.conditions[vmid]
    options = pve.unlocked(vmid)
    if await pve.running(vmid):
        raise PveError(f"VM {vmid} already running")
    options.update(condition.pending)
    condition.pending.clear()
    machine = machine_of(pve, vmid, options)
    if machine.bridge and pve.bridges is not None and machine.bridge not in pve.bridges:
        raise PveError(f"bridge '{machine.bridge}' does not exist")
    if machine.boot_image:
        pve.volume(machine.boot_image)
    await pve.hypervisor.start(machine)
    condition.since, condition.idle = time.time(), not await pve.hypervisor.running(vmid)


async def _off(pve: Pve, vmid: int) -> None:
    pve.unlocked(vmid)
    condition = pve.conditions[vmid]
    condition.since, condition.idle = None, False
    await pve.hypervisor.stop(vmid)


async def _down(pve: Pve, vmid: int, seconds: float, *, force: bool) -> None:
    """Presses the power button; where nobody obeys, the plug is pulled if that was asked for."""
    pve.unlocked(vmid)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await pve.hypervisor.shutdown(vmid)
            while await pve.running(vmid):  # noqa: ASYNC110 - a process ends, and tells nobody here
                await asyncio.sleep(_POLL)
    if await pve.running(vmid) and not force:
        raise PveError("VM quit/powerdown failed - got timeout")
    await _off(pve, vmid)


def _acting(action: str) -> Answer:
    async def act(pve: Pve, call: Call) -> str:
        vmid = call.vmid
        call.refuse_skiplock()
        pve.machine(vmid)
        if action in {"reboot", "reset"} and not await pve.running(vmid):
            raise PveError(f"VM {vmid} not running")

        async def work(_: Log) -> None:
            pve.machine(vmid)
            async with pve.conditions[vmid].turn:
                if action in {"shutdown", "reboot"}:
                    seconds = float(call.given.get("timeout", _SHUTDOWN))
                    await _down(pve, vmid, seconds, force=call.given.get("forceStop") == "1")
                elif action != "start":
                    await _off(pve, vmid)
                if action in {"start", "reboot", "reset"}:
                    await on(pve, vmid)

        return pve.task(_ACTIONS[action][0], str(vmid), work)

    return act


def methods(vm: str) -> list[Method]:
    """Below the path of a machine."""
    allowed = perm("/vms/{vmid}", "VM.PowerMgmt")
    return [
        Method("POST", f"{vm}/status/{action}", _acting(action), parameters, allowed)
        for action, (_, parameters) in _ACTIONS.items()
    ]


def has_agent(options: dict[str, Any]) -> bool:
    return AGENT.split(str(options.get("agent", "0"))).get("enabled") == "1"


async def interfaces(pve: Pve, call: Call) -> None:
    """No machine of the lab runs the guest agent."""
    options = pve.machine(call.vmid)
    if not await pve.running(call.vmid):
        raise PveError(f"VM {call.vmid} is not running")
    raise PveError("QEMU guest agent is not running" if has_agent(options) else "No QEMU guest agent configured")
