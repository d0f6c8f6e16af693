"""The Proxmox VE API: images and virtual machines, on every node of a cluster."""

import asyncio
import http
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rebirth.errors import Broken, NoAnswer, NotYet, understood
from rebirth.providers import proxmox_rights
from rebirth.providers.certificates import mistrusted
from rebirth.providers.proxmox_rights import HostNeeds, Needs
from rebirth.run.waiting import asking, together, until
from rebirth.secrets import Secret

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

_SYSTEM = "Proxmox"
_ENDPOINT = "proxmox.endpoint"
_DOWNLOAD = "download image"


@dataclass(frozen=True)
class Vm:
    vm_id: int
    node: str
    name: str
    running: bool
    tags: frozenset[str]
    cores: int
    memory_mib: int
    lock: str  # what Proxmox is doing with it ("create", "backup"), or ""; until then it shows no tags


class ProxmoxApi:
    """All nodes, through an API token (USER@REALM!TOKENID=UUID): the one that is asked passes on what another has to do.

    `transport` carries its requests instead of a connection.
    """

    def __init__(
        self, *, endpoint: str, token: Secret, ca: Secret | None = None, transport: "BaseAdapter | None" = None
    ) -> None:
        user, _, rest = token.reveal().partition("!")
        token_name, _, token_value = rest.partition("=")
        parts = urlsplit(endpoint)
        # Here, and not above: check imports phases for what they take, and has no time for their clients.
        from proxmoxer import ProxmoxAPI

        self._api = ProxmoxAPI(
            parts.hostname,
            port=parts.port or 8006,
            user=user,
            token_name=token_name,
            token_value=token_value,
            timeout=20,
        )
        self._session = self._api._store["session"]  # noqa: SLF001 - proxmoxer takes an authority as a file only
        if ca is not None:
            from rebirth.providers.trust import trust_only

            trust_only(self._session, ca.reveal())
        if transport is not None:
            self._session.mount(endpoint, transport)

    async def close(self) -> None:
        self._session.close()

    async def reach(self, needs: Needs) -> str:
        """The version; raises where the host, the token or a node is wrong."""
        said = await self._read("version", self._api.version.get)
        with understood(_SYSTEM, "version", _ENDPOINT):
            version = str(said["version"])
        nodes = await self._nodes()
        for name in needs.hosts:
            if name not in nodes:
                hint = f"Its nodes are: {', '.join(sorted(nodes))}."
                raise Broken(f"has no node {name}", system=_SYSTEM, operation="list nodes", hint=hint)
            if not nodes[name]:
                raise NoAnswer(f"{_SYSTEM}: list nodes: the node {name} is offline")
        return version

    async def _nodes(self) -> dict[str, bool]:
        """Node -> whether it is online."""
        found = await self._read("list nodes", self._api.nodes.get)
        with understood(_SYSTEM, "list nodes", _ENDPOINT):
            return {str(entry["node"]): entry["status"] == "online" for entry in found}

    async def lacks(self, needs: Needs) -> list[str]:
        """The rights that the token was not given, each with its path. Nothing is written."""
        rights = proxmox_rights.needed(needs)
        held: dict[str, frozenset[str]] = {}
        for path in proxmox_rights.paths(rights):
            said = await self._read("look up rights", partial(self._api.access.permissions.get, path=path))
            with understood(_SYSTEM, "look up rights", _ENDPOINT):
                held[path] = frozenset(dict(said or {}).get(path) or {})
        return [str(right) for right in proxmox_rights.missing(rights, held)]

    async def offers(self, needs: Needs) -> None:
        """Raises Broken where a node lacks a storage for images or disks, or a bridge."""
        await together(*(self._offers(node, host) for node, host in needs.hosts.items()))

    async def _offers(self, node: str, needs: HostNeeds) -> None:
        host, its = self._api.nodes(node), f"{node}: "
        found = await self._read("list storages", host.storage.get)
        with understood(_SYSTEM, "list storages", _ENDPOINT):
            holds = {entry["storage"]: entry.get("content", "").split(",") for entry in found}
        wanted = [(name, "iso", "image_storage") for name in sorted(needs.image_storages)]
        wanted += [(name, "images", "disk_storage") for name in sorted(needs.disk_storages)]
        for name, content, key in wanted:
            if content not in holds.get(name, ()):
                able = ", ".join(sorted(other for other, contents in holds.items() if content in contents)) or "none"
                lack = f"the storage {name} does not accept {content}" if name in holds else f"has no storage {name}"
                hint = f"proxmox.{key} must be one of: {able}."
                raise Broken(its + lack, system=_SYSTEM, operation="list storages", hint=hint)
        found = await self._read("list bridges", partial(host.network.get, type="any_bridge"))
        with understood(_SYSTEM, "list bridges", _ENDPOINT):
            bridges = {str(entry["iface"]) for entry in found}
        for bridge in sorted(needs.bridges - bridges):
            hint = f"proxmox.bridge must be one of: {', '.join(sorted(bridges))}."
            raise Broken(f"{its}has no bridge {bridge}", system=_SYSTEM, operation="list bridges", hint=hint)

    async def shared_storages(self, *, node: str) -> frozenset[str]:
        """Those that hold the same on every node that has them."""
        found = await self._read("list storages", self._api.nodes(node).storage.get)
        with understood(_SYSTEM, "list storages", _ENDPOINT):
            return frozenset(str(entry["storage"]) for entry in found if int(entry.get("shared", 0)))

    async def images(self, *, node: str, storage: str) -> set[str]:
        """Volume ids of the ISO images in a storage."""
        found = await self._read(
            f"list {storage}", partial(self._api.nodes(node).storage(storage).content.get, content="iso")
        )
        with understood(_SYSTEM, f"list {storage}", _ENDPOINT):
            return {entry["volid"] for entry in found}

    async def download_image(self, *, node: str, storage: str, name: str, url: str) -> str:
        """Makes the node fetch an image; returns its volume id. A download of it that runs already is taken up."""
        volume = f"{storage}:iso/{name}"
        if (task := await self._running_download(node, name)) is None:
            if volume in await self.images(node=node, storage=storage):
                return volume  # one that ended since the caller looked
            fetch = self._api.nodes(node).storage(storage)("download-url")
            task = await self._write(_DOWNLOAD, partial(fetch.post, content="iso", filename=name, url=url))
        await self._finish(_DOWNLOAD, task)
        return volume

    async def _running_download(self, node: str, name: str) -> str | None:
        """A task of an earlier run, which Proxmox carries on with whether or not somebody waits for it."""
        look = partial(self._api.nodes(node).tasks.get, source="active", typefilter="download")
        found = await self._read("list tasks", look)
        with understood(_SYSTEM, "list tasks", _ENDPOINT):
            under_way = (task for task in found if task["type"] == "download" and "endtime" not in task)
            return next((str(task["upid"]) for task in under_way if task.get("id") == name), None)

    async def machines(self) -> list[Vm]:
        """Of all nodes. Each is asked itself: what the cluster knows of machines is up to ten seconds old."""
        nodes = await self._nodes()
        online = [node for node, answers in nodes.items() if answers]
        found = await together(*(self._read("list machines", self._api.nodes(node).qemu.get) for node in online))
        known = [] if len(online) == len(nodes) else await self._read("list machines", self._resources)
        with understood(_SYSTEM, "list machines", _ENDPOINT):
            there = [_vm(node, entry) for node, entries in zip(online, found, strict=True) for entry in entries]
            lost = [entry for entry in known if entry["type"] == "qemu" and entry["node"] not in online]
            return [*there, *(_vm(entry["node"], entry) for entry in lost)]

    def _resources(self) -> Any:
        return self._api.cluster.resources.get(type="vm")

    async def create(self, *, node: str, vm_id: int, options: Mapping[str, str | int]) -> None:
        """A machine with the options that Proxmox VE publishes for one."""
        try:
            task = await self._write("create machine", partial(self._api.nodes(node).qemu.post, vmid=vm_id, **options))
        except Broken as error:
            # Somebody may have been faster with that id: perhaps our own request, whose answer was lost.
            if vm_id in {vm.vm_id for vm in await self.machines()}:
                raise NotYet(str(error)) from None
            raise
        await self._finish("create machine", task)

    async def start(self, *, node: str, vm_id: int) -> None:
        """That it runs already is success: a run that was killed may have started it."""
        task = await self._write("start machine", self._machine(node, vm_id).status.start.post)
        await self._finish("start machine", task, fine="already running")

    async def stop(self, *, node: str, vm_id: int) -> None:
        task = await self._write("stop machine", self._machine(node, vm_id).status.stop.post)
        await self._finish("stop machine", task)

    async def shut_down(self, *, node: str, vm_id: int, seconds: int) -> None:
        """By its power button; where it has not obeyed in so many seconds, by the plug."""
        press = self._machine(node, vm_id).status.shutdown.post
        task = await self._write("shut down machine", partial(press, forceStop=1, timeout=seconds))
        await self._finish("shut down machine", task, fine="not running")

    async def configure(self, *, node: str, vm_id: int, options: Mapping[str, str | int]) -> None:
        """Changes options of a machine; some count when it is started the next time."""
        task = await self._write("change machine", partial(self._machine(node, vm_id).config.post, **options))
        await self._finish("change machine", task)

    async def options(self, *, node: str, vm_id: int) -> dict[str, str]:
        """What a machine is made of, as it was given or is to be from its next start on."""
        said = await self._read("show machine", self._machine(node, vm_id).config.get)
        with understood(_SYSTEM, "show machine", _ENDPOINT):
            return {str(name): str(value) for name, value in dict(said).items()}

    async def memory(self) -> dict[str, int]:
        """Node -> its memory in MiB, of those that say it."""
        found = await self._read("list nodes", self._api.nodes.get)
        with understood(_SYSTEM, "list nodes", _ENDPOINT):
            return {str(entry["node"]): int(entry["maxmem"]) >> 20 for entry in found if entry.get("maxmem")}

    async def delete(self, *, node: str, vm_id: int) -> None:
        """That it is gone when its turn comes is success: a run that was killed may have asked for it."""
        purge = {"purge": 1, "destroy-unreferenced-disks": 1}
        task = await self._write("delete machine", partial(self._machine(node, vm_id).delete, **purge))
        await self._finish("delete machine", task, fine=f"/{vm_id}.conf' does not exist")

    def _machine(self, node: str, vm_id: int) -> Any:
        return self._api.nodes(node).qemu(vm_id)

    async def _finish(self, operation: str, task: str, *, fine: str = "OK") -> None:
        """Follows a task to its end; the API has nothing that could be watched. `fine` is an end as good as OK."""
        node = task.split(":")[1]

        async def ended() -> str:
            state = await self._read(operation, self._api.nodes(node).tasks(task).status.get)
            with understood(_SYSTEM, operation, _ENDPOINT):
                if state["status"] != "stopped":
                    raise NotYet("running", hint="See the tasks of the Proxmox host.")
                return str(state["exitstatus"])

        said = await until(ended, what=f"{_SYSTEM}: {operation}", every=0.2, slowest=3)
        if _locked(said):
            raise NotYet(f"{_SYSTEM}: {operation}: {said}")
        if said != "OK" and fine not in said:
            raise Broken(said, system=_SYSTEM, operation=operation, hint="See the task's log on the Proxmox host.")

    async def _read(self, operation: str, call: Callable[[], Any]) -> Any:
        """An answer to a question. Whatever fails inside Proxmox (HTTP 500) is asked again."""
        return await self._ask(operation, call, reading=True)

    async def _write(self, operation: str, call: Callable[[], Any]) -> str:
        """The task that does it. Where Proxmox itself says why it does not do it (HTTP 500 in its own words), that is Broken."""
        task = await self._ask(operation, call, reading=False)
        with understood(_SYSTEM, operation, _ENDPOINT):
            if not task.startswith("UPID:"):
                raise ValueError
        return str(task)

    async def _ask(self, operation: str, call: Callable[[], Any], *, reading: bool) -> Any:
        import requests
        from proxmoxer.core import AuthenticationError, ResourceException

        try:
            # proxmoxer takes `data` out of whatever comes
            with asking(_SYSTEM, operation), understood(_SYSTEM, operation, _ENDPOINT):
                answer = await asyncio.to_thread(call)
                if isinstance(answer, dict) and answer.keys() == {"errors"}:  # its word for: that was no JSON
                    raise ValueError
                return answer
        except (AuthenticationError, ResourceException) as error:
            raise _failure(operation, error, reading=reading) from None
        except requests.exceptions.RequestException as error:
            if refused := mistrusted(error, system=_SYSTEM, operation=operation, address=_ENDPOINT, ca="proxmox.ca"):
                raise refused from None
            hint = f"Is {_ENDPOINT} right, and reachable from here?"
            raise NoAnswer(f"{_SYSTEM}: {operation}: {type(error).__name__}", hint=hint) from None


def _vm(node: str, entry: dict[str, Any]) -> Vm:
    return Vm(
        node=node,
        vm_id=int(entry["vmid"]),
        name=str(entry.get("name", "")),
        running=entry["status"] == "running",
        tags=frozenset(filter(None, entry.get("tags", "").replace(",", ";").split(";"))),
        cores=int(entry.get("cpus", entry.get("maxcpu", 0))),
        memory_mib=int(entry.get("maxmem", 0)) >> 20,
        lock=str(entry.get("lock", "")),
    )


def _failure(operation: str, error: Exception, *, reading: bool) -> Broken | NotYet:
    """What an answer of 400 and above means."""
    status = int(getattr(error, "status_code", 401))
    words = _words(error)
    if status in {401, 403}:
        hint = "Check proxmox.token: USER@REALM!TOKENID=UUID, with rights on nodes, storages and machines."
        said = f"the token was rejected: {words}" if status == 403 else "the token was rejected"
        return Broken(said, system=_SYSTEM, operation=operation, status=status, hint=hint)
    own_words = status == 500 and words not in {"", http.HTTPStatus(500).phrase}
    if status == 429 or status > 501 or (status == 500 and (reading or not own_words or _locked(words))):
        said = f"HTTP {status}" + (f": {words}" if own_words else "")
        return NoAnswer(f"{_SYSTEM}: {operation}: {said}", hint=f"Is {_ENDPOINT} right, and is the host healthy?")
    hints = {
        400: "Check the section proxmox of castle.yaml; if it is right, this is a bug; please report it.",
        501: "Proxmox VE 8 or later is needed.",
    }
    hint = hints.get(status, "See `journalctl -u pvedaemon` on the Proxmox host.")
    return Broken(words, system=_SYSTEM, operation=operation, status=status, hint=hint)


def _locked(words: str) -> bool:
    """Whether somebody else is busy with the machine: that ends by itself."""
    return "is locked" in words or "can't lock file" in words


def _words(error: Exception) -> str:
    """Proxmox' own words about parameters; its answers to these calls hold no secrets."""
    errors = getattr(error, "errors", None)
    content = str(getattr(error, "content", "") or error).strip()
    told = isinstance(errors, dict) and all(isinstance(value, str) for value in errors.values())  # else: a body, unread
    return f"{content}: {errors}" if errors and told else content
