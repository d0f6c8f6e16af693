"""What a token may do, path by path, and what a call asks for (PVE/RPCEnvironment.pm of pve-access-control)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rebirth.lab.proxmox.errors import PveError

_ALL = (
    "Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit Group.Allocate Mapping.Audit "
    "Mapping.Modify Mapping.Use Permissions.Modify Pool.Allocate Pool.Audit Realm.Allocate Realm.AllocateUser SDN.Allocate "
    "SDN.Audit SDN.Use Sys.AccessNetwork Sys.Audit Sys.Console Sys.Incoming Sys.Modify Sys.PowerMgmt Sys.Syslog User.Modify "
    "VM.Allocate VM.Audit VM.Backup VM.Clone VM.Config.CDROM VM.Config.CPU VM.Config.Cloudinit VM.Config.Disk "
    "VM.Config.HWType VM.Config.Memory VM.Config.Network VM.Config.Options VM.Console VM.GuestAgent.Audit "
    "VM.GuestAgent.FileRead VM.GuestAgent.FileSystemMgmt VM.GuestAgent.FileWrite VM.GuestAgent.Unrestricted VM.Migrate "
    "VM.PowerMgmt VM.Replicate VM.Snapshot VM.Snapshot.Rollback"
)
PRIVILEGES = frozenset(_ALL.split())
_TOP = ("/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms")


@dataclass(frozen=True)
class Rights:
    """Privileges by path. As with roles in Proxmox, what is given on a path replaces what was inherited from above it."""

    given: Mapping[str, frozenset[str]] = field(default_factory=lambda: {"/": PRIVILEGES})

    def on(self, path: str) -> frozenset[str]:
        """What may be done there."""
        while path not in self.given and path != "/":
            path = path.rpartition("/")[0] or "/"
        return self.given.get(path, frozenset())

    def has(self, path: str, *privileges: str) -> bool:
        return self.on(path).issuperset(privileges)

    def any(self, path: str, *privileges: str) -> bool:
        return not self.on(path).isdisjoint(privileges)

    def any_below(self, path: str, *privileges: str) -> bool:
        """There, or on something below it that rights are given on."""
        below = [one for one in self.given if one.startswith(f"{path}/")]
        return any(self.any(one, *privileges) for one in (path, *below))

    def check(self, path: str, *privileges: str) -> None:
        """Raises 403 for the first one that is missing."""
        for privilege in privileges:
            if not self.has(path, privilege):
                raise PveError(f"Permission check failed ({path}, {privilege})", 403)

    def check_any(self, path: str, *privileges: str) -> None:
        """Raises 403 unless there is one of them."""
        if not self.any(path, *privileges):
            raise PveError(f"Permission check failed ({path}, {'|'.join(privileges)})", 403)

    def shown(self) -> dict[str, dict[str, int]]:
        """Every path on which something may be done: privilege -> whether it goes further down."""
        found = {path: self.on(path) for path in sorted({*_TOP, *self.given})}
        return {path: dict.fromkeys(sorted(held), 1) for path, held in found.items() if held}


@dataclass(frozen=True)
class Perm:
    """Asked before a call is answered: all of the privileges on that path, or any. {names} are parameters of the call."""

    path: str
    privileges: tuple[str, ...]
    any: bool = False

    def check(self, rights: Rights, given: Mapping[str, str]) -> None:
        path = self.path.format_map(given)
        (rights.check_any if self.any else rights.check)(path, *self.privileges)


@dataclass(frozen=True)
class All:
    """Each of them is asked for."""

    checks: "tuple[Check, ...]"

    def check(self, rights: Rights, given: Mapping[str, str]) -> None:
        for one in self.checks:
            one.check(rights, given)


@dataclass(frozen=True)
class Either:
    """One of them is enough; the refusal names none."""

    checks: "tuple[Check, ...]"

    def check(self, rights: Rights, given: Mapping[str, str]) -> None:
        for one in self.checks:
            try:
                one.check(rights, given)
            except PveError:
                continue
            return
        raise PveError("Permission check failed", 403)


Check = Perm | All | Either


def perm(path: str, *privileges: str) -> Perm:
    return Perm(path, privileges)


def any_of(path: str, *privileges: str) -> Perm:
    return Perm(path, privileges, any=True)
