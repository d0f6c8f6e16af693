"""Switches machines on and off. The Proxmox stand-in sees only the protocol; `Machines` makes namespaces and processes."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rebirth.lab import cgroups
from rebirth.lab.cloud_init import CloudInit
from rebirth.lab.namespaces import UNSHARE
from rebirth.lab.talos.hardware import Hardware

_REBOOT = 100  # exit code of a machine that asks to be started again


@dataclass(frozen=True)
class VirtualMachine:
    vmid: int
    name: str
    cores: int
    memory_mib: int
    mac: str
    bridge: str
    boot_image: str | None  # volume of the ISO; an empty disk without one boots nothing
    disk_gib: int
    cloud_init: CloudInit | None = None  # of a cloud-init drive, where it has one


class Hypervisor(Protocol):
    async def start(self, vm: VirtualMachine) -> None:
        """Powers on; returns once the machine's process runs."""

    async def stop(self, vmid: int) -> None:
        """Powers off, hard."""

    async def running(self, vmid: int) -> bool: ...

    async def destroy(self, vmid: int) -> None:
        """Wipes its disk."""


@dataclass(frozen=True)
class Network:
    """What a machine finds on the LAN; `reservations` are what DHCP gives to a machine of that name."""

    bridge: str
    prefix_length: int
    gateway: str
    nameservers: tuple[str, ...]
    reservations: Mapping[str, str]  # machine name -> address


@dataclass
class _Running:
    process: asyncio.subprocess.Process
    keeper: "asyncio.Task[None]"


@dataclass
class Machines:
    """Machines as process trees in namespaces of their own, on the lab's bridge."""

    lab: str
    state: Path
    network: Network
    ca: Path
    programs: dict[str, str]
    talos_version: str
    _running: dict[int, _Running] = field(default_factory=dict)

    async def start(self, vm: VirtualMachine) -> None:
        if await self.running(vm.vmid):
            return
        disk = self._disk(vm.vmid)
        if vm.boot_image is None and not (disk / "state" / "config.yaml").exists():
            return  # "no bootable device": powered on, and nothing happens
        hardware = self._hardware(vm)
        process = await self._boot(vm.vmid, hardware)
        self._running[vm.vmid] = _Running(process, asyncio.create_task(self._keep(vm, process)))

    def _disk(self, vmid: int) -> Path:
        return self.state / "machines" / str(vmid)

    def _cgroup(self, name: str) -> str:
        return f"/rebirth-{self.lab}/{name}"

    def _hardware(self, vm: VirtualMachine) -> Hardware:
        address = self.network.reservations.get(vm.name)
        if address is None:
            raise LookupError(f"no DHCP reservation for a machine named {vm.name}")
        cgroup = self._cgroup(vm.name)
        cgroups.create(cgroup)
        return Hardware(
            lab=self.lab,
            name=vm.name,
            disk=self._disk(vm.vmid),
            address=f"{address}/{self.network.prefix_length}",
            gateway=self.network.gateway,
            nameservers=self.network.nameservers,
            mac=vm.mac,
            ca=self.ca,
            programs=self.programs,
            cgroup=cgroup,
            talos_version=self.talos_version,
            cores=vm.cores,
        )

    async def _boot(self, vmid: int, hardware: Hardware) -> asyncio.subprocess.Process:
        hardware.disk.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = hardware.disk / "hardware.json"
        hardware.save(file)
        # The machine waits on this pipe until its network card is plugged in.
        plugged, plug = os.pipe()
        with (hardware.disk / "console.log").open("ab") as console:
            process = await asyncio.create_subprocess_exec(
                *UNSHARE, sys.executable, "-m", "rebirth.lab.talos", str(file), str(plugged),
                stdin=asyncio.subprocess.DEVNULL, stdout=console, stderr=console, pass_fds=(plugged,), start_new_session=True,
            )  # fmt: skip
        os.close(plugged)
        try:
            await self._plug(vmid, hardware, process.pid)
            os.write(plug, b".")
        finally:
            os.close(plug)
        return process

    async def _plug(self, vmid: int, hardware: Hardware, pid: int) -> None:
        link = f"tap{vmid}"
        # unshare(1) makes the network namespace before it forks: its own process is already in there, once it says so.
        ours = Path("/proc/self/ns/net").readlink()
        for _ in range(500):
            with suppress(FileNotFoundError):
                if Path(f"/proc/{pid}/ns/net").readlink() != ours:
                    break
            await asyncio.sleep(0.01)
        with suppress(RuntimeError):  # of a machine that was just switched off: the kernel takes its time with it
            await _ip("link", "delete", link)
        await _ip(
            "link", "add", link, "type", "veth", "peer", "name", "eth0", "address", hardware.mac, "netns", str(pid)
        )
        await _ip("link", "set", link, "master", self.network.bridge, "up")

    async def _keep(self, vm: VirtualMachine, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        # A machine that is off has no containers: with their groups left, the next kubelet looks at each for seconds.
        await self._remove_group(self._cgroup(vm.name))
        del self._running[vm.vmid]
        if (self._disk(vm.vmid) / "wipe").exists():
            shutil.rmtree(self._disk(vm.vmid), ignore_errors=True)
        if code == _REBOOT:
            await self.start(vm)

    async def stop(self, vmid: int) -> None:
        if (running := self._running.get(vmid)) is None:
            return
        # PID 1 of the machine takes everything in it down; unshare(1), its parent, ends only when all of it is gone.
        parent = running.process.pid
        with suppress(ProcessLookupError, FileNotFoundError):
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            for pid in map(int, children or [str(parent)]):
                os.kill(pid, signal.SIGKILL)
        await asyncio.wait([running.keeper])

    async def running(self, vmid: int) -> bool:
        return vmid in self._running

    async def destroy(self, vmid: int) -> None:
        await self.stop(vmid)
        await asyncio.to_thread(shutil.rmtree, self._disk(vmid), ignore_errors=True)

    async def _remove_group(self, cgroup: str) -> None:
        for _ in range(100):  # the last processes of a namespace leave its groups a moment after PID 1
            if not await asyncio.to_thread(cgroups.remove, cgroup):
                return
            await asyncio.sleep(0.05)


async def _ip(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec("ip", *arguments, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {said.decode().strip()}")
