"""The host, its cluster, and what the token may do."""

from typing import Any

from rebirth.lab.proxmox.drives import memory
from rebirth.lab.proxmox.errors import refused
from rebirth.lab.proxmox.host import Pve
from rebirth.lab.proxmox.machines import row
from rebirth.lab.proxmox.method import Call

_CPUS, _MEMORY, _ROOT, _SWAP = 16, 64 << 30, 96 << 30, 8 << 30  # of the host that is stood in for
_VERSION = {"version": "9.2.4", "release": "9.2", "repoid": "0000000000000000"}


async def version(_: Pve, __: Call) -> dict[str, str]:
    return _VERSION


async def permissions(pve: Pve, call: Call) -> dict[str, dict[str, int]]:
    """What the token may do; of another user or token only where it may audit them."""
    if call.given.get("userid", pve.token_identity) != pve.token_identity:
        pve.rights.check("/access", "Sys.Audit")
        return {}
    if path := call.given.get("path"):
        return {path: dict.fromkeys(sorted(pve.rights.on(path)), 1)}
    return pve.rights.shown()


def _host(pve: Pve, node: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"node": node, "status": "offline" if node in pve.offline else "online"}
    if node in pve.offline:
        return shown
    return shown | {"maxcpu": _CPUS, "maxmem": _MEMORY, "cpu": 0, "mem": 0, "level": "", "uptime": 1}


async def nodes(pve: Pve, _: Call) -> list[dict[str, Any]]:
    return [_host(pve, node) | {"id": f"node/{node}", "type": "node"} for node in pve.nodes]


async def node_status(pve: Pve, _: Call) -> dict[str, Any]:
    running = [vmid for vmid in pve.on_node() if await pve.running(vmid)]
    given = sum(memory(pve.machines[vmid]) << 20 for vmid in running)
    kernel = {"sysname": "Linux", "release": "6.17.2-1-pve", "version": "#1 SMP stand-in", "machine": "x86_64"}
    return {
        "pveversion": f"pve-manager/{_VERSION['version']}/{_VERSION['repoid']}",
        "boot-info": {"mode": "efi", "secureboot": 0},
        "cpu": 0,
        "cpuinfo": {"cpus": _CPUS, "cores": _CPUS, "sockets": 1, "model": "stand-in"},
        "current-kernel": kernel,
        "kversion": " ".join((kernel["sysname"], kernel["release"], kernel["version"])),
        "loadavg": ["0.00", "0.00", "0.00"],
        "memory": {"total": _MEMORY, "used": given, "free": _MEMORY - given, "available": _MEMORY - given},
        "swap": {"total": _SWAP, "used": 0, "free": _SWAP},
        "rootfs": {"total": _ROOT, "used": 0, "free": _ROOT, "avail": _ROOT},
        "uptime": 1,
    }


async def networks(pve: Pve, call: Call) -> list[dict[str, Any]]:
    """There is nothing but bridges, and of them those that the token may see."""
    if call.given.get("type") not in {None, "bridge", "any_bridge", "any_local_bridge", "include_sdn"}:
        return []
    bridges = sorted(pve.bridges if pve.bridges is not None else {"vmbr0"})
    seen = [name for name in bridges if pve.rights.any_below(f"/sdn/zones/localnetwork/{name}", "SDN.Audit", "SDN.Use")]
    return [{"iface": name, "type": "bridge", "active": 1, "autostart": 1, "method": "manual"} for name in seen]


async def resources(pve: Pve, call: Call) -> list[dict[str, Any]]:
    wanted = call.given.get("type")
    found: list[dict[str, Any]] = []
    if wanted in {None, "vm"}:
        for vmid in sorted(vmid for vmid in pve.machines if pve.rights.has(f"/vms/{vmid}", "VM.Audit")):
            shown = await row(pve, vmid)
            shown["maxcpu"] = shown.pop("cpus")
            node = pve.conditions[vmid].node
            state = {"status": "unknown"} if node in pve.offline else {}
            found.append(shown | state | {"type": "qemu", "template": 0, "node": node, "id": f"qemu/{vmid}"})
    if wanted in {None, "storage"}:
        for node in sorted({*pve.nodes} - pve.offline):
            for name, storage in pve.at(node).seen_storages():
                shown = {"type": "storage", "id": f"storage/{node}/{name}", "storage": name, "node": node}
                room = {"maxdisk": storage.total, "disk": storage.used}
                kind = {"plugintype": storage.kind, "content": ",".join(sorted(storage.content))}
                found.append(shown | room | kind | {"status": "available", "shared": int(storage.shared)})
    if wanted in {None, "node"}:
        found += [_host(pve, node) | {"id": f"node/{node}", "type": "node"} for node in pve.nodes]
    return found


async def next_id(pve: Pve, call: Call) -> str:
    if wanted := call.given.get("vmid"):
        if int(wanted) in pve.machines:
            raise refused({"vmid": f"VM {wanted} already exists"})
        return wanted
    return str(next(number for number in range(100, 1_000_000_000) if number not in pve.machines))
