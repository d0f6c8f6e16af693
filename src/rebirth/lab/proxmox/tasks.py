"""Tasks: what they are at, how they ended, and a way to end them."""

from typing import Any

from rebirth.lab.proxmox.errors import PveError, refused
from rebirth.lab.proxmox.host import Pve, Task
from rebirth.lab.proxmox.kinds import FLAG, TEXT, Kinds, one_of, whole
from rebirth.lab.proxmox.method import Call

LISTED: Kinds = {
    "errors": FLAG,
    "limit": whole(0),
    "since": whole(),
    "source": one_of("archive active all"),
    "start": whole(0),
    "statusfilter": TEXT,
    "typefilter": TEXT,
    "until": whole(),
    "userfilter": TEXT,
    "vmid": whole(100, 999_999_999),
}
READ: Kinds = {"download": FLAG, "limit": whole(0), "start": whole(0)}
_LIMIT = 50  # entries and lines that are shown where nobody says how many


def _task(pve: Pve, call: Call) -> Task:
    """Every task is of the token itself: nothing else is asked."""
    upid = call.given["upid"]
    if not upid.startswith("UPID:") or upid.count(":") != 8:
        raise refused({"upid": f"unable to parse worker upid '{upid}'"})
    if upid not in pve.tasks:
        raise PveError("no such task")
    return pve.tasks[upid]


def _shown(pve: Pve, task: Task) -> dict[str, Any]:
    user, _, token = task.user.partition("!")
    _, _, pid, pstart, *_rest = task.upid.split(":")
    shown = {"upid": task.upid, "node": task.upid.split(":")[1], "type": task.kind, "id": task.identity, "user": user}
    return shown | {"tokenid": token, "starttime": task.started, "pid": int(pid, 16), "pstart": int(pstart, 16)}


async def tasks(pve: Pve, call: Call) -> list[dict[str, Any]]:
    """The newest first; without a source those that have ended."""
    given = call.given
    states = {"archive": {"stopped"}, "active": {"running"}, "all": {"running", "stopped"}}
    start, limit = int(given.get("start", 0)), int(given.get("limit", _LIMIT))
    found = [
        _shown(pve, task) | _end(task)
        for task in reversed(pve.tasks.values())
        if task.upid.split(":")[1] == pve.node
        and task.status in states[given.get("source", "archive")]
        and given.get("typefilter") in {None, task.kind}
        and given.get("vmid") in {None, task.identity}
        and int(given.get("since", 0)) <= task.started <= int(given.get("until", task.started))
        and (given.get("errors") != "1" or (task.status == "stopped" and task.exit_status != "OK"))
    ]
    return found[start : start + limit]


def _end(task: Task) -> dict[str, Any]:
    if task.status == "stopped":
        return {"status": task.exit_status, "endtime": int(task.ended)}
    return {"status": "RUNNING"}


async def status(pve: Pve, call: Call) -> dict[str, Any]:
    task = _task(pve, call)
    shown = _shown(pve, task) | {"status": task.status}
    return shown | ({"exitstatus": task.exit_status} if task.status == "stopped" else {})


async def log(pve: Pve, call: Call) -> list[dict[str, Any]]:
    lines = list(enumerate(_task(pve, call).log or ["no content"], 1))
    start, limit = int(call.given.get("start", 0)), int(call.given.get("limit", _LIMIT)) or len(lines)
    return [{"n": number, "t": line} for number, line in lines[start : start + limit]]


async def end(pve: Pve, call: Call) -> None:
    """Ends a task that is under way; one that has ended stays as it is."""
    if worker := _task(pve, call).worker:
        worker.cancel()
