"""The configuration of a virtual machine that is there: shown and changed."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from rebirth.lab.proxmox.drives import BOOTABLE, permitted, settled
from rebirth.lab.proxmox.errors import PveError, refused
from rebirth.lab.proxmox.forms import drive, is_cloud_init
from rebirth.lab.proxmox.host import Pve, Work
from rebirth.lab.proxmox.kinds import FLAG, Kind, Kinds, one_of
from rebirth.lab.proxmox.method import Call
from rebirth.lab.proxmox.options import CONFIG, DRIVE, may_change_drive, may_set, options_in

_NUMBERS = {name for name, kind in CONFIG.items() if kind.type in {"boolean", "integer"}}
_HIDDEN = "*" * 10
_COLD = {
    "bios",
    "cores",
    "cpu",
    "machine",
    "memory",
    "numa",
    "sockets",
}  # wait until a machine that runs is started again
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}  # powers of two
SHOW: Kinds = {"current": FLAG, "snapshot": Kind(longest=40)}
RESIZE: Kinds = {
    "digest": Kind(longest=40),
    "disk": one_of(" ".join((*BOOTABLE, "efidisk0", "tpmstate0")), required=True),
    "size": Kind(pattern=r"\+?\d+(\.\d+)?[KMGT]?", required=True),
    "skiplock": FLAG,
}


def _digest(options: dict[str, Any]) -> str:
    return hashlib.sha1(json.dumps(options, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _same(options: dict[str, Any], given: Mapping[str, str]) -> None:
    """Raises where a change was made for a configuration that is not the one of now."""
    if given.get("digest", _digest(options)) != _digest(options):
        raise PveError("checksum mismatch (file change by other user?)")


async def configuration(pve: Pve, call: Call) -> dict[str, Any]:
    condition = pve.conditions[call.vmid]
    pending = {} if call.given.get("current") == "1" else condition.pending
    options, lock = pve.machine(call.vmid) | pending, condition.lock
    shown = {name: int(value) if name in _NUMBERS else value for name, value in options.items()}
    if "cipassword" in shown:
        shown["cipassword"] = _HIDDEN
    return shown | ({"lock": lock} if lock else {}) | {"digest": _digest(options)}


async def configure(pve: Pve, call: Call) -> None:
    """Changes at once."""
    await _changing(pve, call)(lambda _: None)


async def configure_later(pve: Pve, call: Call) -> str:
    """Changes in a task."""
    return pve.task("qmconfig", str(call.vmid), _changing(pve, call))


def _changing(pve: Pve, call: Call) -> Work:
    """What makes the change. Raises at once for what may not be changed."""
    vmid = call.vmid
    call.refuse_skiplock()
    changes = options_in(call.given)
    gone = [name for name in re.split(r"[,; ]+", call.given.get("delete", "")) if name]
    if both := [name for name in gone if name in changes]:
        raise refused({"delete": f"you can't use '-{both[0]}' and -delete {both[0]}' at the same time"})
    if not changes and not gone and "revert" not in call.given:
        raise PveError("no options specified")
    for name in (*gone, *changes):
        may_set(pve.rights, vmid, name, changes.get(name, "socket"))
    permitted(pve, vmid, changes)
    options = pve.unlocked(vmid)
    _same(options, call.given)
    _may_change_drives(pve, vmid, [options.get(name) for name in gone], changes, options)

    async def work(_: object) -> None:
        kept = settled(pve, vmid, changes)
        if await pve.running(vmid):
            cold = {name: value for name, value in kept.items() if name in _COLD and name in changes}
            pve.conditions[vmid].pending.update(cold)
            kept = {name: value for name, value in kept.items() if name not in cold}
        replaced = [name for name in changes if DRIVE.fullmatch(name) and _volume(options, name) != _volume(kept, name)]
        for name in (*gone, *replaced):
            _detach(pve, vmid, options, name)
        options.update(kept)

    return work


def _may_change_drives(pve: Pve, vmid: int, gone: list[Any], changes: dict[str, str], options: dict[str, Any]) -> None:
    drives = [name for name in changes if DRIVE.fullmatch(name)]
    touched = [*gone, *(options.get(name) for name in drives), *(changes[name] for name in drives)]
    for value in touched:
        if value and ":" in str(value):
            may_change_drive(pve.rights, vmid, str(value))


def _volume(options: dict[str, Any], name: str) -> str:
    return drive(str(options.get(name, "")))[0]


def _detach(pve: Pve, vmid: int, options: dict[str, Any], name: str) -> None:
    """An option goes; a disk stays in its storage as an unused one, and goes when that is deleted. A cloud-init drive goes at once."""
    volume = _volume(options, name)
    options.pop(name, None)
    storage = pve.storages.get(volume.partition(":")[0])
    if storage is None or volume not in storage.volumes or storage.volumes[volume].vmid != vmid:
        return
    if name.startswith("unused") or is_cloud_init(volume):
        del storage.volumes[volume]
    else:
        options[next(free for number in range(256) if (free := f"unused{number}") not in options)] = volume


async def resize(pve: Pve, call: Call) -> str:
    vmid, name = call.vmid, call.given["disk"]
    call.refuse_skiplock()
    options = pve.unlocked(vmid)
    _same(options, call.given)
    wanted, volume = re.fullmatch(r"(\+?)([\d.]+)([KMGT]?)", call.given["size"]), _volume(options, name)
    if wanted is None or volume.partition(":")[0] not in pve.storages:
        raise PveError(f"disk '{name}' does not exist")
    pve.rights.check(f"/storage/{volume.partition(':')[0]}", "Datastore.AllocateSpace")

    async def work(_: object) -> None:
        old = pve.volume(volume)
        size = int(float(wanted[2]) * (1 << _UNITS[wanted[3]])) + (old.size if wanted[1] else 0)
        if size < old.size:
            raise PveError("shrinking disks is not supported")
        pve.storage(volume.partition(":")[0]).volumes[volume] = type(old)(old.content, size, vmid)
        options[name] = re.sub(r"size=[^,]+", f"size={size >> 30}G", str(options[name]))

    return pve.task("resize", str(vmid), work)
