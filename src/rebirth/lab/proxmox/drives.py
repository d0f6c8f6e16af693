"""Disks and network cards of a virtual machine, and what the hypervisor is told of them."""

import re
import secrets
from typing import Any

from rebirth.lab.hypervisor import VirtualMachine
from rebirth.lab.proxmox.answers import refused
from rebirth.lab.proxmox.host import Pve, PveError, Storage, Volume
from rebirth.lab.proxmox.options import CARD, DRIVE, NEW_DISK, parts, tags

_GIB = 1 << 30


def permitted(pve: Pve, options: dict[str, str]) -> None:
    """Raises for storages and bridges that can't be used: before anything is made."""
    for name, value in options.items():
        if DRIVE.fullmatch(name) and (new := NEW_DISK.fullmatch(parts(value)[0])):
            storage = pve.storage(new[1])
            pve.check(f"/storage/{new[1]}", "Datastore.AllocateSpace")
            if "images" not in storage.content:
                raise refused({"storage": f"storage '{new[1]}' does not support vm images"})
        elif DRIVE.fullmatch(name) and ":" in parts(value)[0]:
            pve.storage(parts(value)[0].partition(":")[0])
        elif CARD.fullmatch(name) and (bridge := parts(value)[1].get("bridge")):
            pve.check(f"/sdn/zones/localnet/{bridge}", "SDN.Use")


def settled(pve: Pve, vmid: int, given: dict[str, str]) -> dict[str, str]:
    """The options as Proxmox keeps them: with new disks made, MAC addresses chosen, tags sorted."""
    kept = dict(given)
    made: list[str] = []
    try:
        for name, value in given.items():
            if DRIVE.fullmatch(name):
                kept[name] = _drive(pve, vmid, value, made)
            elif CARD.fullmatch(name):
                kept[name] = _card(value)
            elif name == "tags":
                kept[name] = ";".join(tags(value))
    except PveError:
        for volume in made:
            pve.storage(volume.partition(":")[0]).volumes.pop(volume)
        raise
    return kept


def _drive(pve: Pve, vmid: int, value: str, made: list[str]) -> str:
    first, rest = parts(value.removeprefix("file="))
    if first in {"none", "cdrom"}:
        return value
    if not (new := NEW_DISK.fullmatch(first)):
        volume = pve.volume(first)
        return value if "size" in rest or volume.content == "iso" else f"{value},size={volume.size // _GIB}G"
    storage = pve.storage(new[1])
    size = int(float(new[2]) * _GIB)
    if source := rest.pop("import-from", None):
        size = pve.volume(source).size
        pve.conditions[vmid].imported = source
    elif size == 0:
        raise PveError(f"new disk of size 0 in storage '{new[1]}'")
    volume_id = _allocate(new[1], storage, vmid, size, rest.get("format", "raw"))
    made.append(volume_id)
    rest.pop("size", None)
    extras = "".join(f",{key}={part}" for key, part in sorted(rest.items()))
    return f"{volume_id}{extras},size={_shown(size)}"


def _allocate(name: str, storage: Storage, vmid: int, size: int, form: str) -> str:
    if not storage.thin and storage.used + size > storage.total:
        free = (storage.total - storage.used) >> 22
        raise PveError(f"lvcreate error: insufficient free space ({free} extents): {size >> 22} required.")
    for number in range(1000):
        file = f"{vmid}/vm-{vmid}-disk-{number}.{form}" if storage.kind == "dir" else f"vm-{vmid}-disk-{number}"
        if (volume_id := f"{name}:{file}") not in storage.volumes:
            storage.volumes[volume_id] = Volume("images", size, vmid)
            return volume_id
    raise PveError(f"unable to allocate an image name for VM {vmid} in storage '{name}'")


def _shown(size: int) -> str:
    return f"{size // _GIB}G" if size % _GIB == 0 else f"{-(-size >> 10)}K"


def _card(value: str) -> str:
    model, _, rest = value.partition(",")
    if "=" not in model:
        mac = "BC:24:11:" + ":".join(f"{byte:02X}" for byte in secrets.token_bytes(3))
        model = f"{model}={mac}"
    return f"{model},{rest}" if rest else model


def boots_from(options: dict[str, Any], imported: str | None) -> str | None:
    """The volume that a machine with an empty disk boots: its CD, where the boot order has one, or what its disk was made from."""
    if imported:
        return imported
    order = str(options.get("boot", ""))
    devices = order.removeprefix("order=").split(";") if order.startswith("order=") else sorted(options)
    for name in devices:
        value = str(options.get(name, ""))
        if DRIVE.fullmatch(name) and parts(value)[1].get("media") == "cdrom" and ":" in parts(value)[0]:
            return parts(value)[0]
    return None


def machine_of(pve: Pve, vmid: int, options: dict[str, Any]) -> VirtualMachine:
    """What the hypervisor is to switch on."""
    card = next(
        (str(value) for name, value in sorted(options.items()) if CARD.fullmatch(name)), "virtio=BC:24:11:00:00:01"
    )
    model, of_card = parts(card)
    return VirtualMachine(
        vmid=vmid,
        name=str(options["name"]),
        cores=int(options.get("cores", 1)) * int(options.get("sockets", 1)),
        memory_mib=int(options.get("memory", 512)),
        mac=model.partition("=")[2].lower(),
        bridge=of_card.get("bridge", ""),
        boot_image=boots_from(options, pve.conditions[vmid].imported),
        disk_gib=disk_size(options) // _GIB,
    )


def disk_size(options: dict[str, Any]) -> int:
    """Bytes of the first disk."""
    for name in ("scsi0", "virtio0", "sata0", "ide0"):
        size = re.fullmatch(r"(\d+)([KMGT]?)", parts(str(options.get(name, "")))[1].get("size", ""))
        if size and "media=cdrom" not in str(options[name]):
            return int(size[1]) << {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[size[2]]
    return 0
