"""Resource pools: this host has none."""

from typing import Any

from rebirth.lab.proxmox.errors import PveError
from rebirth.lab.proxmox.host import Pve
from rebirth.lab.proxmox.kinds import TEXT, Kind, Kinds, one_of
from rebirth.lab.proxmox.method import Call

LISTED: Kinds = {"poolid": TEXT, "type": Kind(choices=one_of("qemu lxc storage").choices, needs="poolid")}


async def pools(_: Pve, call: Call) -> list[dict[str, Any]]:
    if pool := call.given.get("poolid"):
        raise PveError(f"pool '{pool}' does not exist")
    return []
