"""Who votes in etcd, and whether others may go: it decides by majority, and stops where it has none."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rebirth.commands import ProgramFailed
from rebirth.errors import Broken, NotYet
from rebirth.providers.talos import EtcdMember, Talosctl
from rebirth.run.waiting import together

_RECOVER = (
    "Bring one of them back (its VM, its disk). Or recover etcd from a snapshot with talosctl (Talos: disaster recovery); or "
    "`rebirth destroy`, then `rebirth create`."
)


@dataclass(frozen=True)
class Seats:
    """As a control plane that was asked sees them."""

    asked: str  # its address
    members: tuple[EtcdMember, ...]

    def of(self, names: Collection[str]) -> list[EtcdMember]:
        return [member for member in self.members if member.name in names]


async def seats_without(
    leaving: Collection[str], staying: Mapping[str, str], talosctl: Talosctl, *, dead: bool
) -> Seats:
    """Of etcd, before `leaving` give up theirs; `staying` are the addresses of the other control planes. `dead`: who leaves votes no more.

    Raises Broken where those that stay can never be a majority, NotYet where they are none now.
    """
    running = await together(*(_runs_etcd(address, talosctl) for address in staying.values()))
    alive = {name: address for (name, address), runs in zip(staying.items(), running, strict=True) if runs}
    names = ", ".join(sorted(leaving))
    if not alive:
        raise NotYet(f"etcd runs on none of {', '.join(staying)}")
    asked = next(iter(alive.values()))
    try:
        members = await talosctl.etcd_members(address=asked)
    except (NotYet, ProgramFailed):
        if dead and len(staying) <= len(leaving):
            raise _no_majority(names) from None
        raise
    voters = {member.name for member in members if member.votes}
    left = voters - set(leaving)
    if gone := voters - left:
        if not left:
            text = f"{names}: etcd has no other voting member, and all that the cluster is made of would go with it"
            raise Broken(text, operation="leave etcd", hint="Let another control plane join first.")
        if dead and len(left) <= len(gone):
            raise _no_majority(names)
        sound = alive.keys() & left
        now = len(sound) + (0 if dead else len(gone))
        if 2 * now <= len(voters) or 2 * len(sound) <= len(left):
            raise NotYet(
                f"without {names} etcd has no majority while {', '.join(sorted(left - sound))} does not answer"
            )
    return Seats(asked, tuple(members))


async def _runs_etcd(address: str, talosctl: Talosctl) -> bool:
    try:
        return await talosctl.etcd_exists(address=address)
    except (NotYet, ProgramFailed):
        return False


def _no_majority(names: str) -> Broken:
    text = f"{names}: gone, and etcd has lost its majority with them: nobody can take them out of it"
    return Broken(text, operation="leave etcd", hint=_RECOVER)
