"""Disks and network cards of a virtual machine, and what the hypervisor is told of them."""

import re
import secrets
from typing import Any

from rebirth.lab.proxmox.errors import PveError, refused
from rebirth.lab.proxmox.forms import IP_CONFIG, NET, PCI, drive, is_cloud_init, model_and_mac, tags
from rebirth.lab.proxmox.host import Pve, Storage, Volume
from rebirth.lab.proxmox.hypervisor import CloudInit, VirtualMachine
from rebirth.lab.proxmox.options import CARD, DRIVE

_GIB = 1 << 30
_CLOUD_INIT_SIZE = _STATE_SIZE = 4 << 20
_BUSES = (("ide", 4), ("scsi", 31), ("virtio", 16), ("sata", 6))
BOOTABLE = tuple(f"{bus}{number}" for bus, count in _BUSES for number in range(count))  # as Proxmox goes through them
_NEW_DISK = re.compile(r"([^/:\s]+):(\d+(\.\d+)?)")
_NEW_CLOUD_INIT = re.compile(r"([^/:\s]+):cloudinit")


def permitted(pve: Pve, vmid: int, options: dict[str, str]) -> None:
    """Raises for storages, volumes and bridges that can't be used: before anything is made."""
    for name, value in options.items():
        if DRIVE.fullmatch(name):
            _permitted_drive(pve, vmid, name, value)
        elif CARD.fullmatch(name):
            card = NET.split(value)
            if bridge := card.get("bridge"):
                network = f"/sdn/zones/localnetwork/{bridge}"
                pve.rights.check(f"{network}/{card['tag']}" if "tag" in card else network, "SDN.Use")
        elif name.startswith("hostpci"):
            _permitted_device(pve, name, value)


def _permitted_device(pve: Pve, name: str, value: str) -> None:
    """A device of the host: by its mapping, or, for root alone, by its address."""
    mapping = PCI.split(value).get("mapping")
    if mapping is None:
        raise PveError(f"only root can set '{name}' config for non-mapped devices")
    pve.rights.check(f"/mapping/pci/{mapping}", "Mapping.Use")
    if mapping not in pve.mappings:
        raise PveError(f"PCI device mapping not found for '{mapping}'")


def _permitted_drive(pve: Pve, vmid: int, name: str, value: str) -> None:
    first, rest = drive(value)
    if new := _NEW_DISK.fullmatch(first):
        pve.rights.check(f"/storage/{new[1]}", "Datastore.AllocateSpace")
        if "images" not in pve.storage(new[1]).content:
            raise refused({"storage": f"storage '{new[1]}' does not support vm images"})
    elif first == "cdrom":
        pve.rights.check("/", "Sys.Console")
    elif not (first == "none" or is_cloud_init(first) or _may_use(pve, vmid, first) in {"iso", "images"}):
        raise refused({name: "content type needs to be 'images' or 'iso'"})
    if source := rest.get("import-from"):
        kind = _may_use(pve, vmid, source)
        if kind not in {"images", "import"}:
            raise refused({name: f"{source} has wrong type '{kind}' - needs to be 'images' or 'import'"})


def _may_use(pve: Pve, vmid: int, identity: str) -> str:
    """What a volume holds. Raises where the token may not use it."""
    name, _, volume = identity.partition(":")
    storage = pve.storage(name)
    kind = volume.partition("/")[0] if volume.startswith(("iso/", "vztmpl/", "import/")) else "images"
    if pve.rights.has(f"/storage/{name}", "Datastore.Allocate"):
        return kind
    if kind != "images":
        pve.rights.check_any(f"/storage/{name}", "Datastore.AllocateSpace", "Datastore.Audit")
    elif (found := storage.volumes.get(identity)) is None or found.vmid is None:
        raise PveError(f"missing privileges to access {identity}")
    elif found.vmid != vmid:
        pve.rights.check(f"/storage/{name}", "Datastore.Audit")
        pve.rights.check(f"/vms/{found.vmid}", "VM.Config.Disk")
    return kind


def settled(pve: Pve, vmid: int, given: dict[str, str]) -> dict[str, str]:
    """The options as Proxmox keeps them: with new disks made, MAC addresses chosen, tags sorted."""
    kept = dict(given)
    made: list[str] = []
    try:
        for name, value in given.items():
            if DRIVE.fullmatch(name):
                kept[name] = _drive(pve, vmid, name, value, made)
            elif CARD.fullmatch(name):
                kept[name] = _card(value)
            elif name == "tags":
                kept[name] = ";".join(tags(value))
    except PveError:
        for volume in made:
            pve.storage(volume.partition(":")[0]).volumes.pop(volume)
        raise
    return kept


def _drive(pve: Pve, vmid: int, name: str, value: str, made: list[str]) -> str:
    first, rest = drive(value)
    if first in {"none", "cdrom"}:
        return _written(first, rest)
    if new := _NEW_CLOUD_INIT.fullmatch(first):
        made.append(_allocate(new[1], pve.storage(new[1]), vmid, _CLOUD_INIT_SIZE, "qcow2", "cloudinit"))
        return f"{made[-1]},media=cdrom"
    if not (new := _NEW_DISK.fullmatch(first)):
        volume = pve.volume(first)
        if rest.get("media") == "cdrom" and volume.content == "images":
            return _written(first, rest)  # a cloud-init drive that is there already
        return _written(first, {"size": _shown(volume.size)} | rest)
    storage = pve.storage(new[1])
    size = _STATE_SIZE if name in {"efidisk0", "tpmstate0"} else int(float(new[2]) * _GIB)
    if source := rest.pop("import-from", None):
        size = pve.volume(source).size
        pve.conditions[vmid].imported = source
    elif size == 0:
        raise PveError(f"new disk of size 0 in storage '{new[1]}'")
    volume_id = _allocate(new[1], storage, vmid, size, rest.pop("format", "raw"))
    made.append(volume_id)
    return _written(volume_id, rest | {"size": _shown(size)})


def _written(volume: str, rest: dict[str, str]) -> str:
    """A drive as Proxmox writes it: the volume, then the rest in the order of its names."""
    return ",".join((volume, *(f"{key}={said}" for key, said in sorted(rest.items()))))


def _allocate(name: str, storage: Storage, vmid: int, size: int, form: str, fixed: str = "") -> str:
    """A volume of a machine: a disk with the next free number, or the one that is called `fixed`."""
    if not storage.thin and storage.used + size > storage.total:
        free = (storage.total - storage.used) >> 22
        raise PveError(f"lvcreate error: insufficient free space ({free} extents): {size >> 22} required.")
    for label in [fixed] if fixed else [f"disk-{number}" for number in range(1000)]:
        file = f"{vmid}/vm-{vmid}-{label}.{form}" if storage.kind == "dir" else f"vm-{vmid}-{label}"
        if (volume_id := f"{name}:{file}") not in storage.volumes or fixed:
            storage.volumes[volume_id] = Volume("images", size, vmid)
            return volume_id
    raise PveError(f"unable to allocate an image name for VM {vmid} in storage '{name}'")


def _shown(size: int) -> str:
    """As Proxmox writes sizes: in the largest unit that needs no fraction."""
    for shift, unit in ((40, "T"), (30, "G"), (20, "M"), (10, "K")):
        if size >= 1 << shift and size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def _card(value: str) -> str:
    """With the MAC address that was given, or a random one of Proxmox' own range."""
    model, mac = model_and_mac(value)
    mac = mac.upper() or "BC:24:11:" + ":".join(f"{byte:02X}" for byte in secrets.token_bytes(3))
    rest = {key: said for key, said in NET.split(value).items() if key not in {model, "model", "macaddr"}}
    return f"{model}={mac}" + "".join(f",{key}={said}" for key, said in sorted(rest.items()))


def default_boot_order(options: dict[str, str]) -> str:
    """The first disk, the first CD (a cloud-init drive is one), the first network card."""
    drives = {name: drive(options[name])[1].get("media") == "cdrom" for name in BOOTABLE if name in options}
    disks, cds = ([name for name, is_cd in drives.items() if is_cd is wanted] for wanted in (False, True))
    cards = sorted((name for name in options if CARD.fullmatch(name)), key=lambda name: int(name[3:]))
    return "order=" + ";".join((*disks[:1], *cds[:1], *cards[:1]))


def boots_from(options: dict[str, Any], imported: str | None) -> str | None:
    """The volume that a machine with an empty disk boots: its CD, where the boot order has one, or what its disk was made from."""
    if imported:
        return imported
    order = str(options.get("boot", ""))
    devices = order.removeprefix("order=").split(";") if order.startswith("order=") else BOOTABLE
    for name in devices:
        first, rest = drive(str(options.get(name, "")))
        if DRIVE.fullmatch(name) and rest.get("media") == "cdrom" and ":" in first and not is_cloud_init(first):
            return first
    return None


def machine_of(pve: Pve, vmid: int, options: dict[str, Any]) -> VirtualMachine:
    """What the hypervisor is to switch on."""
    named = sorted((name for name in options if CARD.fullmatch(name)), key=lambda name: int(name[3:]))
    cards = [str(options[name]) for name in named]
    card = cards[0] if cards else "virtio=BC:24:11:00:00:01"
    return VirtualMachine(
        vmid=vmid,
        name=str(options["name"]),
        cores=cores(options),
        memory_mib=memory(options),
        mac=model_and_mac(card)[1].lower(),
        bridge=NET.split(card).get("bridge", ""),
        boot_image=boots_from(options, pve.conditions[vmid].imported),
        disk_gib=disk_size(options) // _GIB,
        cloud_init=cloud_init(options),
        more_macs=tuple(model_and_mac(one)[1].lower() for one in cards[1:]),
    )


def cores(options: dict[str, Any]) -> int:
    return int(options.get("cores", 1)) * int(options.get("sockets", 1))


def memory(options: dict[str, Any]) -> int:
    """MiB."""
    return int(str(options.get("memory", "512")).removeprefix("current="))


def cloud_init(options: dict[str, Any]) -> CloudInit | None:
    """What a machine with a cloud-init drive is told through it."""
    if not any(DRIVE.fullmatch(name) and is_cloud_init(drive(str(value))[0]) for name, value in options.items()):
        return None
    numbers = sorted(int(name[8:]) for name in options if name.startswith("ipconfig"))
    return CloudInit(
        name=str(options["name"]),
        addresses=tuple(IP_CONFIG.split(str(options[f"ipconfig{number}"])) for number in numbers),
        nameservers=tuple(re.findall(r"[^,; ]+", str(options.get("nameserver", "")))),
        search_domain=str(options.get("searchdomain", "")),
        user=str(options.get("ciuser", "")),
        ssh_keys=str(options.get("sshkeys", "")),
        kind=str(options.get("citype", "nocloud")),
    )


def disk_size(options: dict[str, Any]) -> int:
    """Bytes of the first disk."""
    for name in ("scsi0", "virtio0", "sata0", "ide0"):
        size = re.fullmatch(r"(\d+)([KMGT]?)", drive(str(options.get(name, "")))[1].get("size", ""))
        if size and "media=cdrom" not in str(options[name]):
            return int(size[1]) << {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[size[2]]
    return 0
