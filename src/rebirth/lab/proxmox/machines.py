"""Virtual machines: made, changed, switched on and off, removed."""

import hashlib
import json
import re
import time
from typing import Any

from starlette.requests import Request

from rebirth.lab.proxmox.answers import MISSING, parameters, refused, truth
from rebirth.lab.proxmox.drives import disk_size, machine_of, permitted, settled
from rebirth.lab.proxmox.host import Condition, Pve, PveError
from rebirth.lab.proxmox.options import DRIVE, parts, verified

_ACTIONS = {"start": "qmstart", "stop": "qmstop", "shutdown": "qmshutdown", "reboot": "qmreboot", "reset": "qmreset"}
_ACTION_PARAMETERS = frozenset({"skiplock", "timeout", "forceStop", "keepActive", "overrule-shutdown"})


def _vmid(value: str) -> int:
    if not re.fullmatch(r"\d+", value):
        raise refused({"vmid": f"invalid format - value does not look like a valid VM ID\n (got '{value}')"})
    number = int(value)
    if number < 100:
        raise refused({"vmid": "value must have a minimum value of 100"})
    if number > 999_999_999:
        raise refused({"vmid": "value must have a maximum value of 999999999"})
    return number


def vmid_of(request: Request) -> int:
    return _vmid(str(request.path_params["vmid"]))


async def create(pve: Pve, request: Request) -> str:
    options = await parameters(request)
    if "vmid" not in options:
        raise refused({"vmid": MISSING})
    vmid = _vmid(options.pop("vmid"))
    verified(options)
    pve.check(f"/vms/{vmid}", "VM.Allocate")
    start = truth(options.pop("start", "0"))
    if start:
        pve.check(f"/vms/{vmid}", "VM.PowerMgmt")
    permitted(pve, options)
    if vmid in pve.machines:
        raise PveError(f"unable to create VM {vmid} - VM {vmid} already exists on node '{pve.node}'")
    options.setdefault("name", f"VM{vmid}")
    # From here on the id is taken, as it is once Proxmox has written the configuration file.
    pve.machines[vmid], pve.conditions[vmid] = {"name": options["name"]}, Condition(lock="create")

    async def work() -> None:
        try:
            pve.machines[vmid] = settled(
                pve, vmid, {k: v for k, v in options.items() if k not in {"force", "unique", "pool"}}
            )
        except PveError as error:
            del pve.machines[vmid], pve.conditions[vmid]
            raise PveError(f"unable to create VM {vmid} - {error}") from None
        pve.conditions[vmid].lock = None
        if start:
            await _power_on(pve, vmid)

    return pve.task("qmcreate", str(vmid), work())


async def _power_on(pve: Pve, vmid: int) -> None:
    condition = pve.conditions[vmid]
    options = pve.unlocked(vmid)
    if await pve.running(vmid):
        raise PveError(f"VM {vmid} already running")
    machine = machine_of(pve, vmid, options)
    if machine.bridge and pve.bridges is not None and machine.bridge not in pve.bridges:
        raise PveError(f"bridge '{machine.bridge}' does not exist")
    if machine.boot_image:
        pve.volume(machine.boot_image)
    await pve.hypervisor.start(machine)
    condition.since, condition.idle = time.time(), not await pve.hypervisor.running(vmid)


async def _power_off(pve: Pve, vmid: int) -> None:
    pve.unlocked(vmid)
    condition = pve.conditions[vmid]
    condition.since, condition.idle = None, False
    await pve.hypervisor.stop(vmid)


async def act(pve: Pve, request: Request) -> str:
    vmid, action = vmid_of(request), request.path_params["action"]
    if action not in _ACTIONS:
        raise PveError(f"Method 'POST /nodes/{pve.node}/qemu/{vmid}/status/{action}' not implemented", 501)
    await parameters(request, _ACTION_PARAMETERS)
    pve.check(f"/vms/{vmid}", "VM.PowerMgmt")
    pve.machine(vmid)
    if action in {"reboot", "reset"} and not await pve.running(vmid):
        raise PveError(f"VM {vmid} not running")

    async def work() -> None:
        pve.machine(vmid)
        async with pve.conditions[vmid].turn:
            if action != "start":
                await _power_off(pve, vmid)
            if action in {"start", "reboot", "reset"}:
                await _power_on(pve, vmid)

    return pve.task(_ACTIONS[action], str(vmid), work())


async def remove(pve: Pve, request: Request) -> str:
    vmid = vmid_of(request)
    flags = dict(request.query_params)
    known = {"purge", "destroy-unreferenced-disks", "skiplock"}
    if unknown := flags.keys() - known:
        raise refused(
            dict.fromkeys(
                unknown, "property is not defined in schema and the schema does not allow additional properties"
            )
        )
    pve.check(f"/vms/{vmid}", "VM.Allocate")

    async def checked() -> dict[str, Any]:
        options = pve.unlocked(vmid)
        if truth(str(options.get("protection", "0"))):
            raise PveError(f"can't remove VM {vmid} - protection mode enabled")
        if await pve.running(vmid):
            raise PveError(f"VM {vmid} is running - destroy failed")
        return options

    await checked()

    async def work() -> None:
        await checked()
        async with pve.conditions[vmid].turn:
            options = await checked()  # once more: something may have changed since
            pve.conditions[vmid].lock = "destroyed"
            await pve.hypervisor.destroy(vmid)
            used = {parts(str(value))[0] for name, value in options.items() if DRIVE.fullmatch(name)}
            everything = truth(flags.get("destroy-unreferenced-disks", "0"))
            for storage in pve.storages.values():
                ours = [identity for identity, volume in storage.volumes.items() if volume.vmid == vmid]
                for identity in ours:
                    if everything or identity in used:
                        del storage.volumes[identity]
            del pve.machines[vmid], pve.conditions[vmid]

    return pve.task("qmdestroy", str(vmid), work())


def digest(options: dict[str, Any]) -> str:
    return hashlib.sha1(json.dumps(options, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


async def configuration(pve: Pve, request: Request) -> dict[str, Any]:
    vmid = vmid_of(request)
    pve.check(f"/vms/{vmid}", "VM.Audit")
    options = pve.machine(vmid)
    numbers = {"cores", "sockets", "balloon", "onboot", "numa", "kvm", "tablet", "protection", "vcpus", "cpuunits"}
    shown = {name: int(value) if name in numbers and str(value).isdigit() else value for name, value in options.items()}
    lock = pve.conditions[vmid].lock
    return shown | ({"lock": lock} if lock else {}) | {"digest": digest(options)}


async def configure(pve: Pve, request: Request) -> str | None:
    """PUT changes at once, POST in a task."""
    vmid = vmid_of(request)
    changes = await parameters(request)
    verified(changes)
    pve.check(f"/vms/{vmid}", "VM.Config.Options")
    options = pve.unlocked(vmid)
    if changes.pop("digest", None) not in {None, digest(options)}:
        raise PveError("detected modified configuration - file changed by other user? Try again.")
    for name in ("background_delay", "skiplock", "force", "revert"):
        changes.pop(name, None)
    gone = [name for name in re.split(r"[,; ]+", changes.pop("delete", "")) if name]
    permitted(pve, changes)

    async def work() -> None:
        kept = settled(pve, vmid, changes)
        for name in gone:
            _detach(pve, vmid, options, name)
        options.update(kept)

    if request.method == "POST":
        return pve.task("qmconfig", str(vmid), work())
    await work()
    return None


def _detach(pve: Pve, vmid: int, options: dict[str, Any], name: str) -> None:
    """An option goes; a disk stays in its storage as an unused one, and goes when that is deleted."""
    volume = parts(str(options.pop(name, "")))[0]
    storage = pve.storages.get(volume.partition(":")[0])
    if storage is None or volume not in storage.volumes or storage.volumes[volume].vmid != vmid:
        return
    if name.startswith("unused"):
        del storage.volumes[volume]
    else:
        options[next(free for number in range(256) if (free := f"unused{number}") not in options)] = volume


async def resize(pve: Pve, request: Request) -> str:
    vmid = vmid_of(request)
    given = await parameters(request, frozenset({"disk", "size", "digest", "skiplock"}))
    pve.check(f"/vms/{vmid}", "VM.Config.Disk")
    options = pve.unlocked(vmid)
    name, wanted = given.get("disk", ""), re.fullmatch(r"(\+?)(\d+)G", given.get("size", ""))
    if not wanted:
        raise refused({"size": "value does not match the regex pattern"})
    volume = parts(str(options.get(name, "")))[0]
    if volume.partition(":")[0] not in pve.storages:
        raise PveError(f"disk '{name}' does not exist")

    async def work() -> None:
        old = pve.volume(volume)
        size = (int(wanted[2]) << 30) + (old.size if wanted[1] else 0)
        if size < old.size:
            raise PveError("shrinking disks is not supported")
        pve.storage(volume.partition(":")[0]).volumes[volume] = type(old)(old.content, size, vmid)
        options[name] = re.sub(r"size=[^,]+", f"size={size >> 30}G", str(options[name]))

    return pve.task("resize", str(vmid), work())


async def row(pve: Pve, vmid: int) -> dict[str, Any]:
    """What lists show of a machine."""
    options, condition = pve.machine(vmid), pve.conditions[vmid]
    state = "running" if await pve.running(vmid) else "stopped"
    uptime = int(time.time() - condition.since) if condition.since and state == "running" else 0
    shown = {
        "vmid": vmid,
        "name": options["name"],
        "status": state,
        "cpus": int(options.get("cores", 1)) * int(options.get("sockets", 1)),
        "maxmem": int(options.get("memory", 512)) << 20,
        "maxdisk": disk_size(options),
        "uptime": uptime,
        "cpu": 0,
        "mem": 0,
        "disk": 0,
    }
    return shown | {name: value for name, value in (("tags", options.get("tags")), ("lock", condition.lock)) if value}


async def machines(pve: Pve, _: Request) -> list[dict[str, Any]]:
    if pve.privileges is not None and "VM.Audit" not in pve.privileges:
        return []
    return [await row(pve, vmid) for vmid in sorted(pve.machines)]


async def current(pve: Pve, request: Request) -> dict[str, Any]:
    vmid = vmid_of(request)
    pve.check(f"/vms/{vmid}", "VM.Audit")
    shown = await row(pve, vmid)
    return shown | {"qmpstatus": shown["status"], "ha": {"managed": 0}}


async def interfaces(pve: Pve, request: Request) -> None:
    """No machine of the lab runs the guest agent."""
    vmid = vmid_of(request)
    pve.check(f"/vms/{vmid}", "VM.Monitor")
    options = pve.machine(vmid)
    if not await pve.running(vmid):
        raise PveError(f"VM {vmid} is not running")
    first, rest = parts(str(options.get("agent", "0")))
    enabled = first.removeprefix("enabled=") == "1" or rest.get("enabled") == "1"
    raise PveError("QEMU guest agent is not running" if enabled else "No QEMU guest agent configured")
