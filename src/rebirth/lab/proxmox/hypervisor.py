"""What the Proxmox stand-in asks of whoever runs the machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class CloudInit:
    """What a cloud-init drive says to the system that boots from it: texts as Proxmox was given them; empty where nothing is said."""

    name: str
    # For each network card in order: ip with its prefix, or "dhcp", and gw; ip6 and gw6 likewise.
    addresses: tuple[Mapping[str, str], ...] = ()
    nameservers: tuple[str, ...] = ()
    search_domain: str = ""
    user: str = ""
    ssh_keys: str = ""
    kind: str = "nocloud"  # or configdrive2, opennebula


@dataclass(frozen=True)
class VirtualMachine:
    vmid: int
    name: str
    cores: int
    memory_mib: int
    mac: str
    bridge: str
    boot_image: str | None  # volume of the ISO; an empty disk without one boots nothing
    disk_gib: int
    cloud_init: CloudInit | None = None  # of a cloud-init drive, where it has one
    more_macs: tuple[str, ...] = ()  # of further cards, in order


class Hypervisor(Protocol):
    async def start(self, vm: VirtualMachine) -> None:
        """Powers on; returns once the machine's process runs."""

    async def stop(self, vmid: int) -> None:
        """Powers off, hard."""

    async def shutdown(self, vmid: int) -> None:
        """Presses the power button, and returns at once."""

    async def running(self, vmid: int) -> bool: ...

    async def destroy(self, vmid: int) -> None:
        """Wipes its disk."""
