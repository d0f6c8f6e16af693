"""Stand-in for the Proxmox VE API: tokens, storages, images, virtual machines, tasks.

Shapes and words follow the published API viewer and Proxmox VE 8. Real Proxmox puts an error's text into the HTTP reason
phrase as well; here it stands in the body's `message` only.
"""

import asyncio
import os
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.lab.hypervisor import Hypervisor, VirtualMachine

_OPTIONS = re.compile(
    r"(name|cores|sockets|cpu|memory|balloon|ostype|onboot|tags|description|agent|scsihw|boot|machine|bios|start|numa|tablet|vga|hotplug|kvm|"
    r"protection|startup|pool|smbios1|rng0|efidisk0|tpmstate0|(scsi|virtio|sata|ide|net|serial|hostpci|usb|ipconfig)\d+|ciuser|citype|"
    r"cicustom|nameserver|searchdomain|arch|args|cpulimit|cpuunits|digest|delete|skiplock|revert|force|background_delay)"
)
_ACTIONS = {"start": "qmstart", "stop": "qmstop", "shutdown": "qmshutdown", "reboot": "qmreboot"}


class PveError(Exception):
    """Answered the way Proxmox answers."""

    def __init__(self, status: int, message: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.errors = status, errors


@dataclass
class Storage:
    content: frozenset[str]  # such as iso, vztmpl, images, rootdir, import
    total: int = 1 << 40  # bytes
    volumes: dict[str, int] = field(default_factory=dict)  # volume id -> bytes


@dataclass
class Task:
    upid: str
    kind: str
    status: str = "running"
    exit_status: str = ""
    log: list[str] = field(default_factory=list)


@dataclass
class Pve:
    """The state of one Proxmox host."""

    node: str
    token: str  # USER@REALM!TOKENID=UUID
    hypervisor: Hypervisor
    storages: dict[str, Storage]
    ca: str | None = None  # file that download-url trusts
    machines: dict[int, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def task(self, kind: str, identity: str, work: Coroutine[Any, Any, None]) -> str:
        """Starts a task; returns its UPID."""
        user = self.token.partition("=")[0]
        upid = f"UPID:{self.node}:{os.getpid():08X}:{secrets.randbelow(1 << 32):08X}:{int(time.time()):08X}:{kind}:{identity}:{user}:"
        task = self.tasks[upid] = Task(upid, kind)

        async def run() -> None:
            try:
                await work
                task.exit_status = "OK"
            except Exception as error:  # noqa: BLE001 - a task's failure is its result
                task.exit_status = str(error) or type(error).__name__
            task.log.append(f"TASK {task.exit_status}")
            task.status = "stopped"

        running = asyncio.create_task(run())
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return upid

    def machine(self, vmid: int) -> dict[str, Any]:
        if vmid not in self.machines:
            raise PveError(500, f"Configuration file 'nodes/{self.node}/qemu-server/{vmid}.conf' does not exist")
        return self.machines[vmid]

    def storage(self, name: str) -> Storage:
        if name not in self.storages:
            raise PveError(500, f"storage '{name}' does not exist")
        return self.storages[name]


def _refuse(**errors: str) -> PveError:
    return PveError(400, "Parameter verification failed.", errors)


async def _form(request: Request) -> dict[str, Any]:
    if "json" in request.headers.get("content-type", ""):
        return dict(await request.json())
    return {key: value for key, value in (await request.form()).items() if isinstance(value, str)}


def _vmid(value: object) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise _refuse(vmid=f"type check ('integer') failed - got '{value}'") from None
    if not 100 <= number <= 999_999_999:
        raise _refuse(vmid="value must have a minimum value of 100")
    return number


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    unknown = [name for name in options if not _OPTIONS.fullmatch(name)]
    if unknown:
        reason = "property is not defined in schema and the schema does not allow additional properties"
        raise _refuse(**dict.fromkeys(unknown, reason))
    for name in ("cores", "memory", "sockets"):
        if name in options and not re.fullmatch(r"\d+", str(options[name])):
            raise _refuse(**{name: f"type check ('integer') failed - got '{options[name]}'"})
    return options


async def _create(pve: Pve, request: Request) -> str:
    options = await _form(request)
    vmid = _vmid(options.pop("vmid", ""))
    options = _checked(options)
    if vmid in pve.machines:
        raise PveError(500, f"unable to create VM {vmid} - VM {vmid} already exists on node '{pve.node}'")
    for name, value in list(options.items()):
        if re.fullmatch(r"(scsi|virtio|sata|ide)\d+|efidisk0", name):
            options[name] = _disk(pve, vmid, name, str(value))
        if re.fullmatch(r"net\d+", name):
            options[name] = _card(str(value))
    start = options.pop("start", "0") in {"1", "true", True}

    async def create() -> None:
        pve.machines[vmid] = options
        if start:
            await pve.hypervisor.start(_virtual_machine(vmid, options))

    return pve.task("qmcreate", str(vmid), create())


def _disk(pve: Pve, vmid: int, name: str, value: str) -> str:
    """`storage:GIB` makes a volume; `storage:iso/x.iso,media=cdrom` must exist."""
    volume, _, rest = value.partition(",")
    if volume in {"none", "cdrom"}:
        return value
    storage_name, _, what = volume.partition(":")
    storage = pve.storage(storage_name)
    if "media=cdrom" in rest:
        if volume not in storage.volumes:
            raise PveError(500, f"volume '{volume}' does not exist")
        return value
    if "images" not in storage.content:
        raise PveError(500, f"storage '{storage_name}' does not support content-type 'images'")
    if not re.fullmatch(r"\d+(\.\d+)?", what):
        raise _refuse(**{name: f"invalid format - unable to parse volume ID '{volume}'"})
    made = f"{storage_name}:vm-{vmid}-disk-{sum(key.partition(':')[2].startswith(f'vm-{vmid}-') for key in storage.volumes)}"
    storage.volumes[made] = int(float(what) * (1 << 30))
    return f"{made},size={what}G" + (f",{rest}" if rest else "")


def _card(value: str) -> str:
    model, _, rest = value.partition(",")
    if "=" not in model:
        mac = "BC:24:11:" + ":".join(f"{byte:02X}" for byte in secrets.token_bytes(3))
        model = f"{model}={mac}"
    return f"{model},{rest}" if rest else model


def _virtual_machine(vmid: int, options: dict[str, Any]) -> VirtualMachine:
    card = str(options.get("net0", "virtio=BC:24:11:00:00:01,bridge=vmbr0"))
    cdrom = next(
        (str(v) for k, v in options.items() if re.fullmatch(r"(ide|sata|scsi)\d+", k) and "media=cdrom" in str(v)), None
    )
    size = next(
        (re.search(r"size=(\d+)G", str(v)) for k, v in options.items() if k in {"scsi0", "virtio0", "sata0"}), None
    )
    return VirtualMachine(
        vmid=vmid,
        name=str(options.get("name", f"VM{vmid}")),
        cores=int(options.get("cores", 1)),
        memory_mib=int(options.get("memory", 512)),
        mac=card.partition(",")[0].partition("=")[2].lower(),
        bridge=(re.search(r"bridge=([^,]+)", card) or ["", ""])[1],
        boot_image=cdrom.partition(",")[0] if cdrom and not cdrom.startswith("none") else None,
        disk_gib=int(size[1]) if size else 0,
    )


async def _row(pve: Pve, vmid: int) -> dict[str, Any]:
    options = pve.machine(vmid)
    state = "running" if await pve.hypervisor.running(vmid) else "stopped"
    return {
        "vmid": vmid,
        "name": options.get("name", f"VM{vmid}"),
        "status": state,
        "tags": options.get("tags", ""),
        "cpus": int(options.get("cores", 1)),
        "maxmem": int(options.get("memory", 512)) << 20,
        "qmpstatus": state,
    }


async def _machines(pve: Pve, request: Request) -> list[dict[str, Any]]:
    return [await _row(pve, vmid) for vmid in sorted(pve.machines)]


async def _resources(pve: Pve, request: Request) -> list[dict[str, Any]]:
    rows = [await _row(pve, vmid) for vmid in sorted(pve.machines)]
    return [{**row, "type": "qemu", "node": pve.node, "id": f"qemu/{row['vmid']}"} for row in rows]


async def _next_id(pve: Pve, request: Request) -> str:
    if wanted := request.query_params.get("vmid"):
        if int(wanted) in pve.machines:
            raise _refuse(vmid=f"VM {wanted} already exists")
        return wanted
    return str(next(number for number in range(100, 1_000_000) if number not in pve.machines))


async def _config(pve: Pve, request: Request) -> dict[str, Any] | str | None:
    vmid = _vmid(request.path_params["vmid"])
    options = pve.machine(vmid)
    if request.method == "GET":
        return {**options, "digest": secrets.token_hex(20)}
    changes = _checked(await _form(request))
    for name in filter(None, str(changes.pop("delete", "")).split(",")):
        options.pop(name, None)
    options.update(changes)
    return None if request.method == "PUT" else pve.task("qmconfig", str(vmid), asyncio.sleep(0))


async def _current(pve: Pve, request: Request) -> dict[str, Any]:
    return await _row(pve, _vmid(request.path_params["vmid"]))


async def _act(pve: Pve, request: Request) -> str:
    vmid, action = _vmid(request.path_params["vmid"]), request.path_params["action"]
    if action not in _ACTIONS:
        raise PveError(501, f"Method 'POST /nodes/{pve.node}/qemu/{vmid}/status/{action}' not implemented")
    options = pve.machine(vmid)
    if action == "start" and await pve.hypervisor.running(vmid):
        raise PveError(500, f"VM {vmid} already running")

    async def act() -> None:
        if action != "start":
            await pve.hypervisor.stop(vmid)
        if action in {"start", "reboot"}:
            await pve.hypervisor.start(_virtual_machine(vmid, options))

    return pve.task(_ACTIONS[action], str(vmid), act())


async def _delete(pve: Pve, request: Request) -> str:
    vmid = _vmid(request.path_params["vmid"])
    pve.machine(vmid)
    if await pve.hypervisor.running(vmid):
        raise PveError(500, f"VM {vmid} is running - destroy failed")

    async def destroy() -> None:
        await pve.hypervisor.destroy(vmid)
        del pve.machines[vmid]
        for storage in pve.storages.values():
            for volume in [volume for volume in storage.volumes if f":vm-{vmid}-" in volume]:
                del storage.volumes[volume]

    return pve.task("qmdestroy", str(vmid), destroy())


async def _storages(pve: Pve, request: Request) -> list[dict[str, Any]]:
    return [
        {
            "storage": name,
            "content": ",".join(sorted(storage.content)),
            "type": "dir",
            "active": 1,
            "enabled": 1,
            "total": storage.total,
            "used": sum(storage.volumes.values()),
            "avail": storage.total - sum(storage.volumes.values()),
        }
        for name, storage in pve.storages.items()
    ]


async def _content(pve: Pve, request: Request) -> list[dict[str, Any]]:
    storage = pve.storage(request.path_params["storage"])
    kinds = {volume: "iso" if ":iso/" in volume else "images" for volume in storage.volumes}
    wanted = request.query_params.get("content")
    return [
        {"volid": volume, "content": kinds[volume], "size": size, "format": "iso" if kinds[volume] == "iso" else "raw"}
        for volume, size in storage.volumes.items()
        if wanted in {None, kinds[volume]}
    ]


async def _delete_volume(pve: Pve, request: Request) -> str:
    name, volume = request.path_params["storage"], request.path_params["volume"]
    volume = volume if volume.startswith(f"{name}:") else f"{name}:{volume}"
    storage = pve.storage(name)
    if volume not in storage.volumes:
        raise PveError(500, f"volume '{volume}' does not exist")

    async def delete() -> None:
        storage.volumes.pop(volume, None)

    return pve.task("imgdel", volume, delete())


def _receiving(pve: Pve, request: Request, content: str) -> tuple[str, Storage]:
    name = request.path_params["storage"]
    storage = pve.storage(name)
    if content not in {"iso", "vztmpl", "import"}:
        raise _refuse(content=f"value '{content}' does not have a value in the enumeration 'iso, vztmpl, import'")
    if content not in storage.content:
        raise PveError(500, f"storage '{name}' does not support '{content}' content")
    return name, storage


def _iso_name(filename: str) -> str:
    if not re.fullmatch(r"[^/]+\.(iso|img)", filename):
        raise _refuse(filename="wrong file extension")
    return filename


async def _upload(pve: Pve, request: Request) -> str:
    form = await request.form()
    name, storage = _receiving(pve, request, str(form.get("content", "")))
    file = form.get("filename")
    if not isinstance(file, UploadFile):
        raise _refuse(filename="property is missing and it is not optional")
    storage.volumes[f"{name}:iso/{_iso_name(file.filename or '')}"] = len(await file.read())
    return pve.task("imgcopy", "", asyncio.sleep(0))


async def _download(pve: Pve, request: Request) -> str:
    form = await _form(request)
    name, storage = _receiving(pve, request, str(form.get("content", "")))
    volume, url = f"{name}:iso/{_iso_name(str(form.get('filename', '')))}", str(form.get("url", ""))
    if not url.startswith(("http://", "https://")):
        raise _refuse(url="value does not match the regex pattern")

    async def fetch() -> None:
        async with (
            httpx.AsyncClient(verify=pve.ca or True, follow_redirects=True) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != 200:
                raise RuntimeError(f"download failed: {answer.status_code}")
            size = 0
            async for chunk in answer.aiter_bytes():
                size += len(chunk)
        storage.volumes[volume] = size

    return pve.task("download", "", fetch())


async def _task_status(pve: Pve, request: Request) -> dict[str, Any]:
    task = pve.tasks.get(request.path_params["upid"])
    if task is None:
        raise PveError(500, "unable to parse worker upid")
    shown = {"upid": task.upid, "type": task.kind, "status": task.status, "node": pve.node}
    return shown | ({"exitstatus": task.exit_status} if task.status == "stopped" else {})


async def _task_log(pve: Pve, request: Request) -> list[dict[str, Any]]:
    task = pve.tasks.get(request.path_params["upid"])
    if task is None:
        raise PveError(500, "unable to parse worker upid")
    return [{"n": number, "t": line} for number, line in enumerate(task.log, 1)]


async def _nodes(pve: Pve, request: Request) -> list[dict[str, Any]]:
    return [{"node": pve.node, "status": "online", "type": "node", "maxcpu": 16, "maxmem": 64 << 30}]


async def _version(pve: Pve, request: Request) -> dict[str, str]:
    return {"version": "8.4.1", "release": "8.4", "repoid": "stand-in"}


_Answer = Callable[[Pve, Request], Awaitable[Any]]


def _route(pve: Pve, path: str, answer: _Answer, methods: tuple[str, ...] = ("GET",)) -> Route:
    async def handle(request: Request) -> Response:
        # Words of PVE::APIServer: a token that is not known, or not right, is 401.
        given = request.headers.get("authorization", "").removeprefix("PVEAPIToken=")
        if not secrets.compare_digest(given.encode(), pve.token.encode()):
            return JSONResponse({"data": None, "message": "authentication failure"}, 401)
        if request.path_params.get("node", pve.node) != pve.node:
            return JSONResponse(
                {"data": None, "message": f"hostname lookup '{request.path_params['node']}' failed"}, 500
            )
        try:
            return JSONResponse({"data": await answer(pve, request)})
        except PveError as error:
            body: dict[str, Any] = {"data": None, "message": f"{error}\n"}
            return JSONResponse(body | ({"errors": error.errors} if error.errors else {}), error.status)

    return Route(f"/api2/json{path}", handle, methods=list(methods))


def proxmox_app(pve: Pve) -> Starlette:
    """The API of one host."""
    node, vm, storage = "/nodes/{node}", "/nodes/{node}/qemu/{vmid:int}", "/nodes/{node}/storage/{storage}"
    return Starlette(
        routes=[
            _route(pve, "/version", _version),
            _route(pve, "/nodes", _nodes),
            _route(pve, "/cluster/nextid", _next_id),
            _route(pve, "/cluster/resources", _resources),
            _route(pve, f"{node}/qemu", _machines),
            _route(pve, f"{node}/qemu", _create, ("POST",)),
            _route(pve, f"{vm}/config", _config, ("GET", "PUT", "POST")),
            _route(pve, f"{vm}/status/current", _current),
            _route(pve, f"{vm}/status/{{action}}", _act, ("POST",)),
            _route(pve, vm, _delete, ("DELETE",)),
            _route(pve, "/storage", _storages),
            _route(pve, f"{node}/storage", _storages),
            _route(pve, f"{storage}/content", _content),
            _route(pve, f"{storage}/content/{{volume:path}}", _delete_volume, ("DELETE",)),
            _route(pve, f"{storage}/upload", _upload, ("POST",)),
            _route(pve, f"{storage}/download-url", _download, ("POST",)),
            _route(pve, f"{node}/tasks/{{upid}}/status", _task_status),
            _route(pve, f"{node}/tasks/{{upid}}/log", _task_log),
        ]
    )
