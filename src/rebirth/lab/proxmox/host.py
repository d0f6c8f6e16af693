"""The state of a stood-in Proxmox host, or of a cluster of several. All of it is in memory: it dies with the lab."""

import asyncio
import math
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import httpx

from rebirth.lab.proxmox.errors import PveError
from rebirth.lab.proxmox.hypervisor import Hypervisor
from rebirth.lab.proxmox.rights import Rights

Log = Callable[[str], None]
Work = Callable[[Log], Awaitable[None]]  # what a task does
_FILE_CONTENT = frozenset({"iso", "vztmpl", "import", "backup", "snippets"})


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
    shared: bool = False  # the same one on every node that has it

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
    worker: "asyncio.Task[None] | None" = None

    def end_with(self, error: str) -> None:
        self.exit_status = error
        self.log.append(f"TASK ERROR: {error}")


@dataclass
class Condition:
    """What Proxmox knows of a machine besides its configuration."""

    node: str  # that it stands on
    lock: str | None = None  # such as create: nothing else may be done meanwhile
    since: float | None = None  # when it was powered on
    idle: bool = False  # powered on, with nothing to boot from
    imported: str | None = None  # the volume that its disk was made from
    pending: dict[str, Any] = field(default_factory=dict)  # options that it gets when it is started the next time
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one task at a time


@dataclass(frozen=True)
class Pace:
    """How long things take besides what they really take."""

    task_seconds: float = 0.0  # of every task
    bytes_per_second: float = math.inf  # of uploads and downloads

    async def transfer(self, size: int) -> None:
        """Waits as long as so many bytes take."""
        await asyncio.sleep(size / self.bytes_per_second)


@dataclass
class Pve:
    """One host as it is asked, and what it knows of the others. `token` is USER@REALM!TOKENID=UUID."""

    node: str
    token: str = field(repr=False)
    hypervisor: Hypervisor
    storages: dict[str, Storage]  # of this node
    ca: str | None = None  # file that download-url trusts
    bridges: frozenset[str] | None = None  # None: whichever a machine asks for
    rights: Rights = field(default_factory=Rights)  # of the token
    pace: Pace = field(default_factory=Pace)
    machines: dict[int, dict[str, Any]] = field(default_factory=dict)  # configurations by VM id
    conditions: dict[int, Condition] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    others: dict[str, dict[str, Storage]] = field(default_factory=dict)  # storages of the cluster's other nodes
    offline: set[str] = field(default_factory=set)
    pools: frozenset[str] = frozenset()
    mappings: frozenset[str] = frozenset()  # of PCI devices
    web: httpx.AsyncBaseTransport | None = None  # carries what download-url asks for instead of a connection

    @property
    def nodes(self) -> list[str]:
        return sorted({self.node, *self.others})

    def at(self, node: str) -> Self:
        """The same cluster, as that node of it sees itself. Raises where there is none, or it does not answer."""
        if node in self.offline:
            raise PveError("No route to host", 595)
        if node == self.node:
            return self
        if node not in self.others:
            said = (
                f"hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known"
            )
            raise PveError(said)
        left = {name: storages for name, storages in self.others.items() if name != node}
        return replace(self, node=node, storages=self.others[node], others={**left, self.node: self.storages})

    def on_node(self) -> list[int]:
        """The ids of the machines that stand on this node."""
        return sorted(vmid for vmid in self.machines if self.conditions[vmid].node == self.node)

    @property
    def token_identity(self) -> str:
        return self.token.partition("=")[0]

    def task(self, kind: str, identity: str, work: Work) -> str:
        """Starts a task; returns its UPID. What fails in it is its exit status. `work` is given the task's log."""
        started, user = int(time.time()), self.token_identity
        upid = f"UPID:{self.node}:{os.getpid():08X}:{secrets.randbelow(1 << 32):08X}:{started:08X}:{kind}:{identity}:{user}:"
        task = self.tasks[upid] = Task(upid, kind, identity, user, started)

        async def run() -> None:
            try:
                await asyncio.sleep(self.pace.task_seconds)
                await work(task.log.append)
                task.exit_status = "OK"
                task.log.append("TASK OK")
            except asyncio.CancelledError:
                task.end_with("interrupted by signal")
            except Exception as error:  # noqa: BLE001 - a task's failure is its result
                task.end_with(str(error).strip() or type(error).__name__)
            task.status, task.ended = "stopped", time.time()

        task.worker = asyncio.create_task(run())
        return upid

    def machine(self, vmid: int) -> dict[str, Any]:
        """Its configuration."""
        if vmid not in self.machines or self.conditions[vmid].node != self.node:
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

    def seen_storages(self) -> list[tuple[str, Storage]]:
        """Those that the token may see."""
        seen = ("Datastore.Audit", "Datastore.AllocateSpace")
        return [(name, one) for name, one in self.storages.items() if self.rights.any(f"/storage/{name}", *seen)]

    def volume(self, identity: str) -> Volume:
        """By volume id."""
        storage = self.storage(identity.partition(":")[0])
        if identity not in storage.volumes:
            raise PveError(f"volume '{identity}' does not exist")
        return storage.volumes[identity]

    async def running(self, vmid: int) -> bool:
        """Powered on, whether or not it found something to boot from."""
        return self.conditions[vmid].idle or await self.hypervisor.running(vmid)
