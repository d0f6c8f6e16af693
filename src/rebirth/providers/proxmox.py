"""The Proxmox VE API: images and virtual machines of one node."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rebirth.errors import Broken, NoAnswer, NotYet
from rebirth.run.waiting import until
from rebirth.secrets import Secret

_SYSTEM = "Proxmox"


@dataclass(frozen=True)
class Vm:
    vm_id: int
    name: str
    running: bool
    tags: frozenset[str]
    cores: int
    memory_mib: int
    lock: str  # what Proxmox is doing with it ("create", "backup"), or ""; until then it shows no tags


class ProxmoxApi:
    """One node, through an API token (USER@REALM!TOKENID=UUID)."""

    def __init__(self, *, endpoint: str, node: str, token: Secret, ca: Secret | None = None) -> None:
        self._node_name = node
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
            from rebirth.trust import trust_only

            trust_only(self._session, ca.reveal())

    async def close(self) -> None:
        self._session.close()

    @property
    def _node(self) -> Any:
        return self._api.nodes(self._node_name)

    async def reach(self) -> str:
        """The version; raises where the host, the token or the node is wrong."""
        version: str = (await self._ask("version", lambda: self._api.version.get()))["version"]
        nodes = await self._ask("list nodes", lambda: self._api.nodes.get())
        if self._node_name not in {entry["node"] for entry in nodes}:
            known = ", ".join(sorted(entry["node"] for entry in nodes))
            raise Broken(
                f"has no node {self._node_name}",
                system=_SYSTEM,
                operation="list nodes",
                hint=f"Its nodes are: {known}.",
            )
        return version

    async def offers(self, *, image_storage: str, disk_storage: str, bridge: str) -> None:
        """Raises Broken where the node lacks a storage for images or disks, or the bridge."""
        found = await self._ask("list storages", lambda: self._node.storage.get())
        holds = {entry["storage"]: entry.get("content", "").split(",") for entry in found}
        for name, content, key in ((image_storage, "iso", "image_storage"), (disk_storage, "images", "disk_storage")):
            if content not in holds.get(name, ()):
                able = ", ".join(sorted(other for other, contents in holds.items() if content in contents)) or "none"
                lack = f"the storage {name} does not hold {content}" if name in holds else f"has no storage {name}"
                hint = f"proxmox.{key} must be one of: {able}."
                raise Broken(lack, system=_SYSTEM, operation="list storages", hint=hint)
        bridges = {
            entry["iface"]
            for entry in await self._ask("list bridges", lambda: self._node.network.get(type="any_bridge"))
        }
        if bridge not in bridges:
            hint = f"proxmox.bridge must be one of: {', '.join(sorted(bridges))}."
            raise Broken(f"has no bridge {bridge}", system=_SYSTEM, operation="list bridges", hint=hint)

    async def images(self, *, storage: str) -> set[str]:
        """Volume ids of the ISO images in a storage."""
        found = await self._ask(f"list {storage}", lambda: self._node.storage(storage).content.get(content="iso"))
        return {entry["volid"] for entry in found}

    async def download_image(self, *, storage: str, name: str, url: str) -> str:
        """Makes the node fetch an image; returns its volume id."""
        fetch = self._node.storage(storage)("download-url")
        task = await self._ask("download image", lambda: fetch.post(content="iso", filename=name, url=url))
        await self._finish("download image", task)
        return f"{storage}:iso/{name}"

    async def machines(self) -> list[Vm]:
        found = await self._ask("list machines", lambda: self._node.qemu.get())
        return [
            Vm(
                vm_id=int(entry["vmid"]),
                name=entry.get("name", ""),
                running=entry["status"] == "running",
                tags=frozenset(filter(None, entry.get("tags", "").replace(",", ";").split(";"))),
                cores=int(entry.get("cpus", 0)),
                memory_mib=int(entry.get("maxmem", 0)) >> 20,
                lock=entry.get("lock", ""),
            )
            for entry in found
        ]

    async def create(
        self,
        *,
        vm_id: int,
        name: str,
        cores: int,
        memory_mib: int,
        disk_gib: int,
        disk_storage: str,
        bridge: str,
        image: str,
        tag: str,
    ) -> None:
        """A machine that boots the image while its disk is empty."""
        options = {
            "vmid": vm_id,
            "name": name,
            "cores": cores,
            "memory": memory_mib,
            "cpu": "host",
            "ostype": "l26",
            "scsihw": "virtio-scsi-single",
            "scsi0": f"{disk_storage}:{disk_gib}",
            "ide2": f"{image},media=cdrom",
            "boot": "order=scsi0;ide2",
            "net0": f"virtio,bridge={bridge}",
            "onboot": 1,
            "tags": tag,
            "description": "Made by rebirth; removed by `rebirth destroy`.",
        }
        try:
            task = await self._ask("create machine", lambda: self._node.qemu.post(**options))
        except Broken as error:
            if "already exists" in str(error):  # somebody was faster, perhaps our own request whose answer was lost
                raise NotYet(str(error)) from None
            raise
        await self._finish("create machine", task)

    async def start(self, *, vm_id: int) -> None:
        """That it runs already is success: a run that was killed may have started it."""
        task = await self._ask("start machine", lambda: self._node.qemu(vm_id).status.start.post())
        await self._finish("start machine", task, fine="already running")

    async def stop(self, *, vm_id: int) -> None:
        await self._finish(
            "stop machine", await self._ask("stop machine", lambda: self._node.qemu(vm_id).status.stop.post())
        )

    async def delete(self, *, vm_id: int) -> None:
        purge = {"purge": 1, "destroy-unreferenced-disks": 1}
        await self._finish(
            "delete machine", await self._ask("delete machine", lambda: self._node.qemu(vm_id).delete(**purge))
        )

    async def _finish(self, operation: str, task: str, *, fine: str = "OK") -> None:
        """Follows a task to its end; the API has nothing that could be watched. `fine` is an end as good as OK."""

        async def ended() -> str:
            state = await self._ask(operation, lambda: self._node.tasks(task).status.get())
            if state["status"] != "stopped":
                raise NotYet("running")
            return str(state["exitstatus"])

        said = await until(ended, what=f"Proxmox: {operation}", every=0.2)
        if _locked(said):
            raise NotYet(f"{_SYSTEM}: {operation}: {said}")
        if said != "OK" and fine not in said:
            raise Broken(
                said, system=_SYSTEM, operation=operation, hint="The task's log on the Proxmox host says more."
            )

    async def _ask(self, operation: str, call: Callable[[], Any]) -> Any:
        import requests
        from proxmoxer.core import AuthenticationError, ResourceException

        try:
            return await asyncio.to_thread(call)
        except (AuthenticationError, ResourceException) as error:
            status = getattr(error, "status_code", 401)
            if status in {401, 403}:
                hint = "Check proxmox.token: USER@REALM!TOKENID=UUID, with rights on nodes, storages and machines."
                raise Broken(
                    "the token was refused", system=_SYSTEM, operation=operation, status=status, hint=hint
                ) from None
            if status in {429, 502, 503, 504, 595, 596, 599} or (status == 500 and _locked(_words(error))):
                raise NoAnswer(f"{_SYSTEM}: {operation}: HTTP {status}") from None
            raise Broken(_words(error), system=_SYSTEM, operation=operation, status=status) from None
        except requests.exceptions.SSLError:
            hint = "Name the CA that signed it with proxmox.ca."
            raise Broken("its certificate is not trusted", system=_SYSTEM, operation=operation, hint=hint) from None
        except requests.exceptions.RequestException as error:
            hint = "Is proxmox.endpoint right, and reachable from here?"
            raise NoAnswer(f"{_SYSTEM}: {operation}: {type(error).__name__}", hint=hint) from None


def _locked(words: str) -> bool:
    """Whether somebody else is busy with the machine: that ends by itself."""
    return "is locked" in words or "can't lock file" in words


def _words(error: Exception) -> str:
    """Proxmox' own words about parameters; its answers to these calls hold no secrets."""
    errors = getattr(error, "errors", None)
    content = str(getattr(error, "content", "") or error).strip()
    return f"{content}: {errors}" if errors else content
