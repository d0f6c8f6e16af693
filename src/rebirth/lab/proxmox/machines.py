"""Virtual machines: made, removed, and what is shown of them."""

import time
import uuid
from typing import Any

from rebirth.lab.proxmox import power
from rebirth.lab.proxmox.drives import cores, default_boot_order, disk_size, memory, permitted, settled
from rebirth.lab.proxmox.errors import PveError
from rebirth.lab.proxmox.forms import drive
from rebirth.lab.proxmox.host import Condition, Log, Pve
from rebirth.lab.proxmox.kinds import FLAG, Kinds
from rebirth.lab.proxmox.method import Call
from rebirth.lab.proxmox.options import DRIVE, may_set, options_in

LISTED: Kinds = {"full": FLAG}
REMOVE: Kinds = {"destroy-unreferenced-disks": FLAG, "purge": FLAG, "skiplock": FLAG}


async def create(pve: Pve, call: Call) -> str:
    vmid, options, start = call.vmid, options_in(call.given), call.given.get("start") == "1"
    _may_create(pve, call, options)
    if vmid in pve.machines:
        raise PveError(f"unable to create VM {vmid} - VM {vmid} already exists on node '{pve.conditions[vmid].node}'")
    options.setdefault("name", f"VM{vmid}")
    # From here on the id is taken, as it is once Proxmox has written the configuration file.
    pve.machines[vmid], pve.conditions[vmid] = {"name": options["name"]}, Condition(pve.node, lock="create")

    async def work(log: Log) -> None:
        try:
            if "tags" in options:
                may_set(pve.rights, vmid, "tags", options["tags"])
            pve.machines[vmid] = _made_up() | settled(pve, vmid, options)
            pve.machines[vmid].setdefault("boot", default_boot_order(pve.machines[vmid]))
        except PveError as error:
            del pve.machines[vmid], pve.conditions[vmid]
            raise PveError(f"unable to create VM {vmid} - {error}") from None
        for name, value in pve.machines[vmid].items():
            if DRIVE.fullmatch(name) and "media=cdrom" not in value:
                log(f"{name}: successfully created disk '{value}'")
        pve.conditions[vmid].lock = None
        if start:
            await power.on(pve, vmid)

    return pve.task("qmcreate", str(vmid), work)


def _made_up() -> dict[str, str]:
    """What Proxmox adds to a new machine's configuration by itself."""
    meta = f"creation-qemu=10.1.2,ctime={int(time.time())}"
    return {"meta": meta, "smbios1": f"uuid={uuid.uuid4()}", "vmgenid": str(uuid.uuid4())}


def _may_create(pve: Pve, call: Call, options: dict[str, str]) -> None:
    """Raises before anything is made. What is asked first is what Proxmox asks first; for tags it asks in the task."""
    vmid = call.vmid
    if call.given.get("pool", "") not in {"", *pve.pools}:
        raise PveError(f"pool '{call.given['pool']}' does not exist")
    if "archive" in call.given:
        raise PveError(f"archive '{call.given['archive']}' does not exist")
    if call.given.get("ha-managed") == "1":
        pve.rights.check("/", "Sys.Console")
    if call.given.get("start") == "1":
        pve.rights.check(f"/vms/{vmid}", "VM.PowerMgmt")
    if not pve.rights.has(f"/vms/{vmid}", "VM.Allocate"):
        raise PveError("Permission check failed", 403)
    permitted(pve, vmid, options)
    for name, value in options.items():
        if name != "tags":
            may_set(pve.rights, vmid, name, value)


async def remove(pve: Pve, call: Call) -> str:
    vmid, everything = call.vmid, call.given.get("destroy-unreferenced-disks") == "1"
    call.refuse_skiplock()

    async def checked() -> dict[str, Any]:
        options = pve.unlocked(vmid)
        if options.get("protection") == "1":
            raise PveError(f"can't remove VM {vmid} - protection mode enabled")
        if await pve.running(vmid):
            raise PveError(f"VM {vmid} is running - destroy failed")
        return options

    await checked()

    async def work(log: Log) -> None:
        await checked()
        async with pve.conditions[vmid].turn:
            options = await checked()  # once more: something may have changed since
            pve.conditions[vmid].lock = "destroyed"
            await pve.hypervisor.destroy(vmid)
            used = {drive(str(value))[0] for name, value in options.items() if DRIVE.fullmatch(name)}
            for storage in pve.storages.values():
                ours = [identity for identity, volume in storage.volumes.items() if volume.vmid == vmid]
                for identity in ours:
                    if everything or identity in used:
                        del storage.volumes[identity]
                        log(f'Logical volume "{identity.partition(":")[2]}" successfully removed.')
            del pve.machines[vmid], pve.conditions[vmid]

    return pve.task("qmdestroy", str(vmid), work)


async def row(pve: Pve, vmid: int) -> dict[str, Any]:
    """What lists show of a machine, whichever node it stands on."""
    options, condition = pve.machines[vmid], pve.conditions[vmid]
    state = "running" if await pve.running(vmid) else "stopped"
    uptime = int(time.time() - condition.since) if condition.since and state == "running" else 0
    shown = {
        "vmid": vmid,
        "name": options["name"],
        "status": state,
        "cpus": cores(options),
        "maxmem": memory(options) << 20,
        "maxdisk": disk_size(options),
        "uptime": uptime,
        "cpu": 0,
        "mem": 0,
    }
    return shown | {name: value for name, value in (("tags", options.get("tags")), ("lock", condition.lock)) if value}


async def machines(pve: Pve, _: Call) -> list[dict[str, Any]]:
    return [await row(pve, vmid) for vmid in pve.on_node() if pve.rights.has(f"/vms/{vmid}", "VM.Audit")]


async def current(pve: Pve, call: Call) -> dict[str, Any]:
    pve.machine(call.vmid)
    shown = await row(pve, call.vmid)
    agent = {"agent": 1} if power.has_agent(pve.machine(call.vmid)) else {}
    return shown | agent | {"qmpstatus": shown["status"], "ha": {"managed": 0}}
