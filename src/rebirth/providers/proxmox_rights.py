"""What a token of Proxmox VE has to be allowed, so that a castle can be made: asked before anything is."""

from collections.abc import Mapping
from dataclasses import dataclass

_MACHINES = (
    "VM.Allocate",
    "VM.Audit",
    "VM.Config.CPU",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.PowerMgmt",
)


@dataclass(frozen=True)
class HostNeeds:
    """What a castle asks of one node."""

    image_storages: frozenset[str]
    disk_storages: frozenset[str]
    bridges: frozenset[str]


@dataclass(frozen=True)
class Needs:
    """What a castle asks of Proxmox."""

    hosts: Mapping[str, HostNeeds]  # by node
    vm_id: int  # one of those that it may take
    networks: frozenset[str] = frozenset()  # BRIDGE, or BRIDGE/VLAN
    mappings: frozenset[str] = frozenset()  # of PCI devices
    start_order: bool = False
    high_availability: bool = False


@dataclass(frozen=True)
class Right:
    """One privilege on one path. `instead`: sets of rights of which any does as well."""

    path: str
    privilege: str
    instead: tuple[tuple[tuple[str, str], ...], ...] = ()

    def __str__(self) -> str:
        others = [" and ".join(f"{privilege} on {path}" for path, privilege in rights) for rights in self.instead]
        return " (or ".join([f"{self.privilege} on {self.path}", *others]) + ")" * len(others)


def needed(needs: Needs) -> list[Right]:
    """Every right that create and destroy use, sorted by path."""
    images = sorted({f"/storage/{name}" for host in needs.hosts.values() for name in host.image_storages})
    disks = sorted({name for host in needs.hosts.values() for name in host.disk_storages})
    return [
        *([Right("/", "Sys.Modify")] if needs.start_order else []),
        *([Right("/", "Sys.Console")] if needs.high_availability else []),
        *(Right(f"/mapping/pci/{name}", "Mapping.Use") for name in sorted(needs.mappings)),
        # download-url makes the host fetch from the network: Proxmox VE asks for either of the two.
        *(
            Right(f"/nodes/{node}", "Sys.AccessNetwork", ((("/", "Sys.Audit"), ("/", "Sys.Modify")),))
            for node in sorted(needs.hosts)
        ),
        *(Right(f"/sdn/zones/localnetwork/{name}", "SDN.Use") for name in sorted(needs.networks)),
        *(Right(path, "Datastore.AllocateTemplate") for path in images),
        *(Right(path, "Datastore.Audit", (((path, "Datastore.AllocateSpace"),),)) for path in images),
        *(Right(f"/storage/{name}", "Datastore.AllocateSpace") for name in disks),
        *(Right(f"/vms/{needs.vm_id}", privilege) for privilege in _MACHINES),
    ]


def missing(rights: list[Right], held: Mapping[str, frozenset[str]]) -> list[Right]:
    """Those that a token with the privileges `held` (path -> privileges) has in no way."""

    def has(path: str, privilege: str) -> bool:
        return privilege in held.get(path, frozenset())

    return [
        right
        for right in rights
        if not has(right.path, right.privilege) and not any(all(has(*one) for one in other) for other in right.instead)
    ]


def paths(rights: list[Right]) -> list[str]:
    """Every path that has to be asked about."""
    others = (path for right in rights for other in right.instead for path, _ in other)
    return sorted({*(right.path for right in rights), *others})
