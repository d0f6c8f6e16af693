"""What a castle asks of Proxmox: the options of `qm create` for each of its machines, and what has to be there for them."""

import hashlib
from collections.abc import Iterator, Mapping

from rebirth.castle import Hardware, Identity, Machine, Machines, Placed, Proxmox, placement
from rebirth.castle.hardware import Card, DiskOptions
from rebirth.providers.proxmox_rights import HostNeeds, Needs

Options = dict[str, str | int]
SYSTEM_DISK = "system"
_WWN = 0x5 << 60  # a name that IEEE registers; which one, the machine's and the disk's names say


def options(
    identity: Identity, machine: Machine, machines: Machines, spec: Proxmox, placed: Placed, volume: str
) -> Options:
    """A machine that boots the image `volume` while its disk is empty."""
    own = machines.hardware(machine)
    return {
        "name": machine.name,
        "cores": machine.cores,
        "memory": machine.memory_mib,
        "cpu": own.cpu.type,
        "ostype": "l26",
        "scsihw": "virtio-scsi-single",
        "scsi0": f"{placed.disk_storage}:{machine.disk_gib}{_options_of(own.disk)}{_named(identity, machine, own)}",
        "ide2": f"{volume},media=cdrom",
        "boot": "order=scsi0;ide2",
        "onboot": int(own.start_on_boot),
        "tags": ";".join([spec.tag, *own.tags]),
        "description": "Made by rebirth; removed by `rebirth destroy`.",
        **(_cloud_init(machine, machines, placed) if machines.addressing == "cloud-init" else {}),
        **dict(_cards(identity, machine, own, placed)),
        **dict(_disks(identity, machine, own, placed)),
        **dict(_firmware(own, placed)),
        **dict(_more(own)),
    }


def _cloud_init(machine: Machine, machines: Machines, placed: Placed) -> Options:
    """A drive from which Talos' nocloud image has its address before it has a configuration. It goes with the machine."""
    return {
        "ide0": f"{placed.disk_storage}:cloudinit",
        "citype": "nocloud",
        "ipconfig0": f"ip={machine.address}/{machines.network.prefixlen},gw={machines.gateway}",
        "nameserver": " ".join(map(str, machines.nameservers)),
    }


def _cards(identity: Identity, machine: Machine, own: Hardware, placed: Placed) -> Iterator[tuple[str, str]]:
    yield "net0", _card(machine.mac_address(identity.name), placed.bridge, own)
    for number, card in enumerate(own.interfaces, 1):
        yield f"net{number}", _card(machine.mac_of(identity.name, number, card), card.bridge, card)
        if card.address is not None:
            yield f"ipconfig{number}", f"ip={card.address}/{card.prefix}"


def _card(mac: str, bridge: str, card: Card) -> str:
    said = {"firewall": card.firewall, "mtu": card.mtu, "tag": card.vlan}
    return f"virtio={mac.upper()},bridge={bridge}" + _parts(said)


def _disks(identity: Identity, machine: Machine, own: Hardware, placed: Placed) -> Iterator[tuple[str, str]]:
    for number, disk in enumerate(own.disks, 1):
        where = f"{disk.storage or placed.disk_storage}:{disk.size_gib}"
        yield f"scsi{number}", f"{where}{_options_of(disk)},wwn={wwn(identity, machine, disk.name)}"


def _named(identity: Identity, machine: Machine, own: Hardware) -> str:
    return f",wwn={wwn(identity, machine, SYSTEM_DISK)}" if own.disks else ""


def wwn(identity: Identity, machine: Machine, disk: str) -> str:
    """By which Talos knows one disk from another: Proxmox' order of them is not the kernel's."""
    digest = hashlib.sha256(f"{identity.name}/{machine.name}/{disk}".encode()).digest()
    return f"0x{_WWN | int.from_bytes(digest[:8]) >> 4:016x}"


def _options_of(disk: DiskOptions) -> str:
    said = {
        "aio": disk.aio,
        "backup": disk.backup,
        "cache": disk.cache,
        "discard": "on" if disk.discard else None,
        "iothread": disk.iothread or None,
        "replicate": disk.replicate,
        "ssd": disk.ssd or None,
    }
    return _parts(said)


def _parts(said: Mapping[str, str | int | None]) -> str:
    """,key=value for each that is said."""
    shown = {key: int(value) if isinstance(value, bool) else value for key, value in said.items() if value is not None}
    return "".join(f",{key}={value}" for key, value in shown.items())


def _firmware(own: Hardware, placed: Placed) -> Iterator[tuple[str, str]]:
    if own.machine_type == "q35":
        yield "machine", "q35"
    if own.firmware == "uefi":
        yield "bios", "ovmf"
        # Without Microsoft's keys: Talos' image for Secure Boot brings its own into a firmware that has none.
        yield "efidisk0", f"{placed.disk_storage}:1,efitype=4m,pre-enrolled-keys=0"
    if own.tpm:
        yield "tpmstate0", f"{placed.disk_storage}:1,version=v2.0"


def _more(own: Hardware) -> Iterator[tuple[str, str | int]]:
    """What is only said where it is not as Proxmox has it by default."""
    numbers: dict[str, str | int | None] = {
        "sockets": own.cpu.sockets if own.cpu.sockets > 1 else None,
        "numa": int(own.cpu.numa) or None,
        "cpulimit": f"{own.cpu.limit:g}" if own.cpu.limit else None,
        "cpuunits": own.cpu.units,
        "balloon": own.balloon_mib,
        "pool": own.pool,
    }
    flags = {"agent": own.agent, "protection": own.protection, "ha-managed": own.high_availability}
    yield from ((name, value) for name, value in numbers.items() if value is not None)
    yield from ((name, 1) for name, said in flags.items() if said)
    if own.serial_console:
        yield "serial0", "socket"
    for number, device in enumerate(own.pci):
        said = {
            "pcie": device.pcie or None,
            "x-vga": device.primary_gpu or None,
            "rombar": None if device.rom_bar else 0,
        }
        yield f"hostpci{number}", f"mapping={device.mapping}" + _parts(said)
    if (startup := own.startup) is not None:
        said = {"order": startup.order, "up": startup.up_seconds, "down": startup.down_seconds}
        yield "startup", _parts(said).removeprefix(",")


def needs(machines: Machines, spec: Proxmox) -> Needs:
    """What has to be there, and allowed, for all machines."""
    places = placement(machines, spec)
    hardware = {machine.name: machines.hardware(machine) for machine in machines.nodes}
    every = hardware.values()
    return Needs(
        hosts={
            node: _host({name: hardware[name] for name in places if places[name].node == node}, places)
            for node in sorted({place.node for place in places.values()})
        },
        vm_id=spec.vm_ids.first,
        networks=frozenset(
            bridge if card.vlan is None else f"{bridge}/{card.vlan}"
            for name, own in hardware.items()
            for bridge, card in _bridges(own, places[name])
        ),
        mappings=frozenset(device.mapping for own in every for device in own.pci),
        start_order=any(own.startup for own in every),
        high_availability=any(own.high_availability for own in every),
    )


def _host(hardware: dict[str, Hardware], places: dict[str, Placed]) -> HostNeeds:
    return HostNeeds(
        image_storages=frozenset(places[name].image_storage for name in hardware),
        disk_storages=frozenset(
            storage or places[name].disk_storage
            for name, own in hardware.items()
            for storage in (None, *(disk.storage for disk in own.disks))
        ),
        bridges=frozenset(bridge for name, own in hardware.items() for bridge, _ in _bridges(own, places[name])),
    )


def _bridges(own: Hardware, placed: Placed) -> Iterator[tuple[str, Card]]:
    yield placed.bridge, own
    yield from ((card.bridge, card) for card in own.interfaces)
