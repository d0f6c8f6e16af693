"""Resource pools: which there are, not what is in them."""

from typing import Any

from rebirth.lab.proxmox.errors import PveError
from rebirth.lab.proxmox.host import Pve
from rebirth.lab.proxmox.kinds import TEXT, Kind, Kinds, one_of
from rebirth.lab.proxmox.method import Call

LISTED: Kinds = {"poolid": TEXT, "type": Kind(choices=one_of("qemu lxc storage").choices, needs="poolid")}


async def pools(pve: Pve, call: Call) -> list[dict[str, Any]]:
    pool = call.given.get("poolid")
    if pool and pool not in pve.pools:
        raise PveError(f"pool '{pool}' does not exist")
    return [{"poolid": name} for name in sorted(pve.pools) if pool in {None, name}]
