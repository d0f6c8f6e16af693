"""The host, its cluster of one, and the tasks."""

from typing import Any

from starlette.requests import Request

from rebirth.lab.proxmox.answers import refused
from rebirth.lab.proxmox.host import Pve, PveError, Task
from rebirth.lab.proxmox.machines import row

_CPUS, _MEMORY = 16, 64 << 30  # of the host that is stood in for
_VERSION = {"version": "8.4.1", "release": "8.4", "repoid": "stand-in"}
_PRIVILEGES = (
    "Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit SDN.Use Sys.AccessNetwork Sys.Audit Sys.Modify VM.Allocate VM.Audit "
    "VM.Config.CDROM VM.Config.CPU VM.Config.Disk VM.Config.HWType VM.Config.Memory VM.Config.Network VM.Config.Options VM.Monitor VM.PowerMgmt"
)


async def version(_: Pve, __: Request) -> dict[str, str]:
    return _VERSION


async def permissions(pve: Pve, request: Request) -> dict[str, dict[str, int]]:
    """What the token may do: at every path the same."""
    held = sorted(pve.privileges) if pve.privileges is not None else _PRIVILEGES.split()
    return {request.query_params.get("path", "/"): dict.fromkeys(held, 1)} if held else {}


async def nodes(pve: Pve, _: Request) -> list[dict[str, Any]]:
    host = {"node": pve.node, "id": f"node/{pve.node}", "type": "node", "status": "online"}
    return [host | {"maxcpu": _CPUS, "maxmem": _MEMORY, "cpu": 0, "mem": 0, "level": "", "uptime": 1}]


async def node_status(pve: Pve, _: Request) -> dict[str, Any]:
    pve.check(f"/nodes/{pve.node}", "Sys.Audit")
    running = [vmid for vmid in pve.machines if await pve.running(vmid)]
    given = sum(int(pve.machines[vmid].get("memory", 512)) << 20 for vmid in running)
    return {
        "pveversion": f"pve-manager/{_VERSION['version']}/{_VERSION['repoid']}",
        "cpuinfo": {"cpus": _CPUS, "cores": _CPUS, "sockets": 1, "model": "stand-in"},
        "memory": {"total": _MEMORY, "used": given, "free": _MEMORY - given},
        "uptime": 1,
    }


async def networks(pve: Pve, request: Request) -> list[dict[str, Any]]:
    if request.query_params.get("type") not in {None, "bridge", "any_bridge", "any_local_bridge"}:
        return []  # there is nothing but bridges
    bridges = pve.bridges if pve.bridges is not None else {"vmbr0"}
    return [
        {"iface": name, "type": "bridge", "active": 1, "autostart": 1, "method": "manual"} for name in sorted(bridges)
    ]


async def resources(pve: Pve, request: Request) -> list[dict[str, Any]]:
    wanted = request.query_params.get("type")
    if wanted not in {None, "vm", "storage", "node", "sdn"}:
        raise refused({"type": f"value '{wanted}' does not have a value in the enumeration 'vm, storage, node, sdn'"})
    found: list[dict[str, Any]] = []
    if wanted in {None, "vm"}:
        for vmid in sorted(pve.machines):
            shown = await row(pve, vmid)
            shown["maxcpu"] = shown.pop("cpus")
            found.append(shown | {"type": "qemu", "template": 0, "node": pve.node, "id": f"qemu/{vmid}"})
    if wanted in {None, "storage"}:
        found += [
            {
                "type": "storage",
                "id": f"storage/{pve.node}/{name}",
                "storage": name,
                "node": pve.node,
                "status": "available",
            }
            | {
                "plugintype": storage.kind,
                "content": ",".join(sorted(storage.content)),
                "maxdisk": storage.total,
                "disk": storage.used,
                "shared": 0,
            }
            for name, storage in pve.storages.items()
        ]
    if wanted in {None, "node"}:
        found += await nodes(pve, request)
    return found


async def next_id(pve: Pve, request: Request) -> str:
    wanted = request.query_params.get("vmid")
    if wanted is None:
        return str(next(number for number in range(100, 1_000_000_000) if number not in pve.machines))
    if not wanted.isdigit() or not 100 <= int(wanted) <= 999_999_999:
        raise refused({"vmid": "invalid format - value does not look like a valid VM ID\n"})
    if int(wanted) in pve.machines:
        raise refused({"vmid": f"VM {wanted} already exists"})
    return wanted


def _task(pve: Pve, request: Request) -> Task:
    upid = request.path_params["upid"]
    if not upid.startswith("UPID:") or upid.count(":") != 8:
        raise refused({"upid": f"unable to parse worker upid '{upid}'"})
    if upid not in pve.tasks:
        raise PveError("no such task")
    return pve.tasks[upid]


def _shown(pve: Pve, task: Task) -> dict[str, Any]:
    user, _, token = task.user.partition("!")
    return {
        "upid": task.upid,
        "node": pve.node,
        "type": task.kind,
        "id": task.identity,
        "user": user,
        "tokenid": token,
        "starttime": task.started,
    }


async def tasks(pve: Pve, request: Request) -> list[dict[str, Any]]:
    """The newest first; without ?source= those that have ended."""
    source, kind = request.query_params.get("source", "archive"), request.query_params.get("typefilter")
    if source not in {"archive", "active", "all"}:
        raise refused({"source": f"value '{source}' does not have a value in the enumeration 'archive, active, all'"})
    ended = {"archive": {True}, "active": {False}, "all": {True, False}}[source]
    return [
        _shown(pve, task) | _end(task)
        for task in reversed(pve.tasks.values())
        if (task.status == "stopped") in ended and kind in {None, task.kind}
    ]


def _end(task: Task) -> dict[str, Any]:
    return (
        {"status": task.exit_status, "endtime": int(task.ended)} if task.status == "stopped" else {"status": "RUNNING"}
    )


async def task_status(pve: Pve, request: Request) -> dict[str, Any]:
    task = _task(pve, request)
    _, _, pid, pstart, *_rest = task.upid.split(":")
    shown = _shown(pve, task) | {"status": task.status, "pid": int(pid, 16), "pstart": int(pstart, 16)}
    return shown | ({"exitstatus": task.exit_status} if task.status == "stopped" else {})


async def task_log(pve: Pve, request: Request) -> list[dict[str, Any]]:
    lines = _task(pve, request).log or ["no content"]
    return [{"n": number, "t": line} for number, line in enumerate(lines, 1)]
