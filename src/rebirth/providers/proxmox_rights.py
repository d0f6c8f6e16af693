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
class Right:
    """One privilege on one path. `instead`: sets of rights of which any does as well."""

    path: str
    privilege: str
    instead: tuple[tuple[tuple[str, str], ...], ...] = ()

    def __str__(self) -> str:
        others = [" and ".join(f"{privilege} on {path}" for path, privilege in rights) for rights in self.instead]
        return " (or ".join([f"{self.privilege} on {self.path}", *others]) + ")" * len(others)


def needed(*, node: str, image_storage: str, disk_storage: str, bridge: str, vm_id: int) -> list[Right]:
    """Every right that create and destroy use, sorted by path."""
    images, host = f"/storage/{image_storage}", f"/nodes/{node}"
    return [
        # download-url makes the host fetch from the network: Proxmox VE asks for either of the two.
        Right(host, "Sys.AccessNetwork", ((("/", "Sys.Audit"), ("/", "Sys.Modify")),)),
        Right(f"/sdn/zones/localnetwork/{bridge}", "SDN.Use"),
        Right(images, "Datastore.AllocateTemplate"),
        Right(images, "Datastore.Audit", (((images, "Datastore.AllocateSpace"),),)),
        Right(f"/storage/{disk_storage}", "Datastore.AllocateSpace"),
        *(Right(f"/vms/{vm_id}", privilege) for privilege in _MACHINES),
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
