"""The state of one stood-in Proxmox host. All of it is in memory: it dies with the lab."""

import asyncio
import os
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from rebirth.lab.hypervisor import Hypervisor

_FILE_CONTENT = frozenset({"iso", "vztmpl", "import", "backup", "snippets"})


class PveError(Exception):
    """Answered the way Proxmox answers. In a task: its exit status."""

    def __init__(self, message: str, status: int = 500, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.errors = status, errors


@dataclass(frozen=True)
class Volume:
    """A file or a disk in a storage."""

    content: str  # iso, vztmpl, import or images
    size: int  # bytes
    vmid: int | None = None  # of a machine's disk
    digests: dict[str, str] = field(default_factory=dict)  # algorithm -> hexadecimal digest, of a file
    made: float = field(default_factory=time.time)


@dataclass
class Storage:
    content: frozenset[str]  # such as iso, vztmpl, images, rootdir, import
    total: int = 1 << 40  # bytes
    volumes: dict[str, Volume] = field(default_factory=dict)  # by volume id
    thin: bool = True  # disks take space only when they are written to

    @property
    def kind(self) -> str:
        """A directory where files may be, else LVM."""
        if self.content & _FILE_CONTENT:
            return "dir"
        return "lvmthin" if self.thin else "lvm"

    @property
    def used(self) -> int:
        return sum(volume.size for volume in self.volumes.values() if volume.vmid is None or not self.thin)


@dataclass
class Task:
    upid: str
    kind: str
    identity: str
    user: str
    started: int  # seconds since the epoch
    status: str = "running"
    exit_status: str = ""
    ended: float = 0.0
    log: list[str] = field(default_factory=list)


@dataclass
class Condition:
    """What Proxmox knows of a machine besides its configuration."""

    lock: str | None = None  # such as create: nothing else may be done meanwhile
    since: float | None = None  # when it was powered on
    idle: bool = False  # powered on, with nothing to boot from
    imported: str | None = None  # the volume that its disk was made from
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one task at a time


@dataclass
class Pve:
    """One host. `token` is USER@REALM!TOKENID=UUID."""

    node: str
    token: str = field(repr=False)
    hypervisor: Hypervisor
    storages: dict[str, Storage]
    ca: str | None = None  # file that download-url trusts
    bridges: frozenset[str] | None = None  # None: whichever a machine asks for
    privileges: frozenset[str] | None = None  # what the token may do; None: everything
    machines: dict[int, dict[str, Any]] = field(default_factory=dict)  # configurations by VM id
    conditions: dict[int, Condition] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def token_identity(self) -> str:
        return self.token.partition("=")[0]

    def check(self, path: str, privilege: str) -> None:
        """Raises 403 where the token lacks the privilege."""
        if not self.allowed(privilege):
            raise PveError(f"Permission check failed ({path}, {privilege})", 403)

    def allowed(self, privilege: str) -> bool:
        return self.privileges is None or privilege in self.privileges

    def task(self, kind: str, identity: str, work: Coroutine[Any, Any, None]) -> str:
        """Starts a task; returns its UPID. Its failure is its exit status."""
        started, user = int(time.time()), self.token_identity
        upid = f"UPID:{self.node}:{os.getpid():08X}:{secrets.randbelow(1 << 32):08X}:{started:08X}:{kind}:{identity}:{user}:"
        task = self.tasks[upid] = Task(upid, kind, identity, user, started)

        async def run() -> None:
            try:
                await work
                task.exit_status = "OK"
                task.log.append("TASK OK")
            except Exception as error:  # noqa: BLE001 - a task's failure is its result
                task.exit_status = str(error).strip() or type(error).__name__
                task.log.append(f"TASK ERROR: {task.exit_status}")
            task.status, task.ended = "stopped", time.time()

        running = asyncio.create_task(run())
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return upid

    def machine(self, vmid: int) -> dict[str, Any]:
        """Its configuration."""
        if vmid not in self.machines:
            raise PveError(f"Configuration file 'nodes/{self.node}/qemu-server/{vmid}.conf' does not exist")
        return self.machines[vmid]

    def unlocked(self, vmid: int) -> dict[str, Any]:
        """Its configuration, unless another operation is under way."""
        options = self.machine(vmid)
        if lock := self.conditions[vmid].lock:
            raise PveError(f"VM is locked ({lock})")
        return options

    def storage(self, name: str) -> Storage:
        if name not in self.storages:
            raise PveError(f"storage '{name}' does not exist")
        return self.storages[name]

    def volume(self, identity: str) -> Volume:
        """By volume id."""
        storage = self.storage(identity.partition(":")[0])
        if identity not in storage.volumes:
            raise PveError(f"volume '{identity}' does not exist")
        return storage.volumes[identity]

    async def running(self, vmid: int) -> bool:
        """Powered on, whether or not it found something to boot from."""
        return self.conditions[vmid].idle or await self.hypervisor.running(vmid)
