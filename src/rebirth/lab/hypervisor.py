"""What the Proxmox stand-in knows of machines, and the real machines behind it."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rebirth.errors import Broken
from rebirth.lab.machine import cgroups
from rebirth.lab.talos.hardware import LINK, Hardware


@dataclass(frozen=True)
class VirtualMachine:
    """A VM as its configuration in Proxmox describes it."""

    vmid: int
    name: str
    cores: int
    memory_mib: int
    mac: str
    bridge: str
    boot_image: str | None  # the image in its drive; None where it can only boot from its disk
    disk_gib: int


class Hypervisor(Protocol):
    async def start(self, vm: VirtualMachine) -> None:
        """Powers on; returns once the machine's first process runs. A running machine is left alone."""

    async def stop(self, vmid: int) -> None:
        """Powers off, hard; returns once nothing of it runs any more."""

    async def running(self, vmid: int) -> bool: ...

    async def destroy(self, vmid: int) -> None:
        """Wipes its disk; powers it off first."""


@dataclass(frozen=True)
class Lan:
    """What machines find on their network: the bridge, and what a DHCP server with reservations would tell them."""

    bridge: str
    prefix_length: int
    gateway: str
    nameservers: tuple[str, ...]
    reservations: Mapping[str, str]  # machine name -> address


async def ip(*arguments: str, check: bool = True) -> int:
    """Runs `ip`; raises Broken where it refuses and `check` is set."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("ip", *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=pipe)
    _, errors = await process.communicate()
    if process.returncode and check:
        said = errors.decode(errors="replace").strip()
        raise Broken(said, system="ip", operation=" ".join(arguments), hint="the lab needs root and its own namespaces")
    return process.returncode or 0


class Machines:
    """Machines as process trees in namespaces of their own, on a bridge of the namespace that this runs in.

    `folder` holds one folder a machine: its disk. `programs` are the binaries of the toolchain by name.
    `talos_version` is the version that a boot image brings (maintenance mode reports it).
    """

    def __init__(
        self, lab: str, folder: Path, lan: Lan, *, ca: Path, programs: Mapping[str, str], talos_version: str = "v1.12.0"
    ) -> None:
        self._lab = lab
        self._folder = folder
        self._lan = lan
        self._ca = ca
        self._programs = dict(programs)
        self._talos_version = talos_version
        self._processes: dict[int, asyncio.subprocess.Process] = {}

    def disk(self, vmid: int) -> Path:
        return self._folder / str(vmid)

    async def start(self, vm: VirtualMachine) -> None:
        if await self.running(vm.vmid):
            return
        hardware = self._hardware(vm)
        hardware.disk.mkdir(parents=True, exist_ok=True)
        (hardware.disk / "name").write_text(vm.name)
        file = hardware.disk / "hardware.json"
        file.write_text(hardware.to_json())
        # --kill-child: should this process be killed, the machine dies with it, and all that runs in it.
        process = await asyncio.create_subprocess_exec(
            *("unshare", "--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--net"),
            *(sys.executable, "-m", "rebirth.lab.machine.init", str(file)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=(hardware.disk / "console.log").open("ab"),
        )
        self._processes[vm.vmid] = process
        await self._plug_in(vm, await self._first_process(process))
        if process.stdin:
            process.stdin.write(b"\n")
            process.stdin.close()

    def _hardware(self, vm: VirtualMachine) -> Hardware:
        address = self._lan.reservations.get(vm.name)
        if address is None:
            raise Broken(
                f"no address is reserved for a machine named {vm.name}",
                system="lab",
                hint="machines are named as in castle.yaml",
            )
        needed = {sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]), str(self._ca), *self._programs.values()}
        return Hardware(
            lab=self._lab,
            name=vm.name,
            vmid=vm.vmid,
            disk=self.disk(vm.vmid),
            address=f"{address}/{self._lan.prefix_length}",
            gateway=self._lan.gateway,
            nameservers=self._lan.nameservers,
            mac=vm.mac,
            cores=vm.cores,
            memory_mib=vm.memory_mib,
            ca=self._ca,
            programs=self._programs,
            visible=tuple(sorted(needed)),
            cgroup=self._group(vm.name),
            talos_version=self._talos_version if vm.boot_image else None,
        )

    def _group(self, name: str) -> str:
        return f"/rebirth-{self._lab}/{name}"

    @staticmethod
    async def _first_process(process: asyncio.subprocess.Process) -> int:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while process.returncode is None:
            with suppress(FileNotFoundError):
                if found := children.read_text().split():
                    return int(found[0])
            await asyncio.sleep(0.005)
        raise Broken(
            "the machine's namespaces could not be made", system="lab", operation="unshare", hint="the lab needs root"
        )

    async def _plug_in(self, vm: VirtualMachine, pid: int) -> None:
        cable = f"vm{vm.vmid}"
        await ip("link", "delete", cable, check=False)
        await ip("link", "add", cable, "type", "veth", "peer", "name", LINK, "address", vm.mac, "netns", str(pid))
        await ip("link", "set", cable, "master", self._lan.bridge, "up")

    async def stop(self, vmid: int) -> None:
        process = self._processes.pop(vmid, None)
        if process is None:
            return
        if process.returncode is None:
            # The first process goes first: its parent then ends only when everything in the machine has ended.
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            with suppress(FileNotFoundError, ProcessLookupError):
                for child in children.read_text().split():
                    os.kill(int(child), signal.SIGKILL)
            await process.wait()
        await ip("link", "delete", f"vm{vmid}", check=False)

    async def running(self, vmid: int) -> bool:
        process = self._processes.get(vmid)
        return process is not None and process.returncode is None

    async def destroy(self, vmid: int) -> None:
        await self.stop(vmid)
        disk = self.disk(vmid)
        if (disk / "name").exists():
            cgroups.remove(self._group((disk / "name").read_text()))
        await asyncio.to_thread(shutil.rmtree, disk, ignore_errors=True)
