"""Switches machines on and off: each is a process tree in namespaces of its own."""

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rebirth.lab import cgroups
from rebirth.lab.namespaces import UNSHARE
from rebirth.lab.proxmox.hypervisor import VirtualMachine
from rebirth.lab.talos.boot import VOLUMES
from rebirth.lab.talos.dhcp import Dhcp
from rebirth.lab.talos.hardware import Hardware, Lease
from rebirth.lab.talos.installing import Installer

# reboot(2) in a PID namespace ends its PID 1 with this signal (pid_namespaces(7)); unshare(1) then ends itself the same way.
_RESTARTED = -signal.SIGHUP
_POLL = 0.1  # seconds
_ANSWERED = 0.3  # seconds that machined takes at most to say that it has stored a configuration


@dataclass
class _Powered:
    """A machine that is on; while its installer writes the disk it has no process."""

    life: "asyncio.Task[None]"
    process: asyncio.subprocess.Process | None = None


@dataclass
class Machines:
    """Machines as process trees in namespaces of their own, on the lab's bridge."""

    lab: str
    state: Path
    bridge: str
    root: Path  # root file system
    dhcp: Dhcp
    installer: Installer
    _powered: dict[int, _Powered] = field(default_factory=dict)

    async def start(self, vm: VirtualMachine) -> None:
        if await self.running(vm.vmid):
            return
        disk = self._disk(vm.vmid)
        if vm.boot_image is None and not self.installer.installed(disk):
            return  # "no bootable device": powered on, and nothing happens
        booted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        powered = _Powered(asyncio.create_task(self._live(vm, booted)))
        self._powered[vm.vmid] = powered
        await asyncio.wait([booted, powered.life], return_when=asyncio.FIRST_COMPLETED)
        if not booted.done():
            powered.life.result()  # raises what was in the way

    def _disk(self, vmid: int) -> Path:
        return self.state / "machines" / str(vmid)

    def _cgroup(self, vm: VirtualMachine) -> str:
        return f"/rebirth-{self.lab}/{vm.name}"

    async def _live(self, vm: VirtualMachine, booted: "asyncio.Future[None]") -> None:
        """From power on to power off."""
        try:
            again = True
            while again:
                process = self._powered[vm.vmid].process = await self._boot(vm)
                if not booted.done():
                    booted.set_result(None)
                try:
                    again = await self._until_off(vm, process)
                finally:
                    await _pull_plug(process)
                    # A machine that is off has no containers: with their groups left, the next kubelet looks at each for seconds.
                    await self._remove_group(self._cgroup(vm))
        finally:
            del self._powered[vm.vmid]

    async def _until_off(self, vm: VirtualMachine, process: asyncio.subprocess.Process) -> bool:
        """Whether it boots again."""
        disk = self._disk(vm.vmid)
        if not self.installer.installed(disk):
            ended, configured = (
                asyncio.create_task(process.wait()),
                asyncio.create_task(_appears(disk / "state/config.yaml")),
            )
            try:
                await asyncio.wait([ended, configured], return_when=asyncio.FIRST_COMPLETED)
                if not ended.done():
                    await asyncio.sleep(_ANSWERED)
                    await _pull_plug(process)
                    self._powered[vm.vmid].process = None
                    await self.installer.install(vm.name, disk)
                    return True
            finally:
                for task in (ended, configured):
                    task.cancel()
        code = await process.wait()
        if (disk / "state/wipe").exists():  # our patch of machined leaves this word on a reset
            await asyncio.to_thread(_wipe, disk)
        return code == _RESTARTED

    def _hardware(self, vm: VirtualMachine) -> Hardware:
        lease = _told(vm) or self.dhcp.lease(vm.mac)
        return Hardware(
            hostname=f"talos-{vm.mac.replace(':', '')[-6:]}",
            disk=self._disk(vm.vmid),
            root=self.root,
            lease=None if _has_address(self._disk(vm.vmid) / "state/config.yaml") else lease,
            nameservers=lease.nameservers or self.dhcp.nameservers,
            cgroup=self._cgroup(vm),
            cores=vm.cores,
            memory_mib=vm.memory_mib,
        )

    async def _boot(self, vm: VirtualMachine) -> asyncio.subprocess.Process:
        disk = self._disk(vm.vmid)
        disk.mkdir(parents=True, exist_ok=True, mode=0o700)
        hardware = self._hardware(vm)
        cgroups.create(hardware.cgroup)
        file = disk / "hardware.json"
        hardware.save(file)
        # The machine waits on this pipe until its network card is plugged in.
        plugged, plug = os.pipe()
        with (disk / "console.log").open("ab") as console:
            process = await asyncio.create_subprocess_exec(
                *UNSHARE, sys.executable, "-m", "rebirth.lab.talos", str(file), str(plugged),
                stdin=asyncio.subprocess.DEVNULL, stdout=console, stderr=console, pass_fds=(plugged,), start_new_session=True,
            )  # fmt: skip
        os.close(plugged)
        try:
            await self._plug_in(vm, hardware.lease, process.pid)
            os.write(plug, b".")
        finally:
            os.close(plug)
        return process

    async def _plug_in(self, vm: VirtualMachine, lease: Lease | None, pid: int) -> None:
        # unshare(1) makes the network namespace before it forks: its own process is already in there, once it says so.
        ours = Path("/proc/self/ns/net").readlink()
        for _ in range(500):
            with suppress(FileNotFoundError):
                if Path(f"/proc/{pid}/ns/net").readlink() != ours:
                    break
            await asyncio.sleep(0.01)
        await self._card(f"tap{vm.vmid}", "eth0", vm.mac, pid)
        for number, mac in enumerate(vm.more_macs, 1):
            await self._card(f"tap{vm.vmid}i{number}", f"eth{number}", mac, pid)
        inside = ("nsenter", f"--net=/proc/{pid}/ns/net", "ip")
        await _run(*inside, "link", "set", "lo", "up")
        if lease:  # what DHCP would do: container mode runs no client of its own
            await _run(*inside, "link", "set", "eth0", "up")
            await _run(*inside, "address", "add", lease.address, "dev", "eth0")
            if lease.gateway:
                await _run(*inside, "route", "add", "default", "via", lease.gateway)

    async def _card(self, link: str, name: str, mac: str, pid: int) -> None:
        """On the castle's LAN, whichever bridge and VLAN Proxmox was told."""
        with suppress(RuntimeError):  # of a machine that was just switched off: the kernel takes its time with it
            await _run("ip", "link", "delete", link)
        await _run("ip", "link", "add", link, "type", "veth", "peer", "name", name, "address", mac, "netns", str(pid))
        await _run("ip", "link", "set", link, "master", self.bridge, "up")

    async def stop(self, vmid: int) -> None:
        if powered := self._powered.get(vmid):
            powered.life.cancel()
            await asyncio.wait([powered.life])

    async def shutdown(self, vmid: int) -> None:
        powered = self._powered.get(vmid)
        if powered and powered.process and (first := _first(powered.process)):
            os.kill(first, signal.SIGTERM)

    async def running(self, vmid: int) -> bool:
        return vmid in self._powered

    async def destroy(self, vmid: int) -> None:
        await self.stop(vmid)
        await asyncio.to_thread(shutil.rmtree, self._disk(vmid), ignore_errors=True)

    async def _remove_group(self, cgroup: str) -> None:
        for _ in range(100):  # the last processes of a namespace leave its groups a moment after PID 1
            if not await asyncio.to_thread(cgroups.remove, cgroup):
                return
            await asyncio.sleep(0.05)


def _told(vm: VirtualMachine) -> Lease | None:
    """The address on a cloud-init drive, which a `nocloud` image of Talos reads; a `metal` one looks at no drive."""
    told = vm.cloud_init
    if told is None or vm.boot_image is None or "nocloud" not in vm.boot_image:
        return None
    first = told.addresses[0] if told.addresses else {}
    if "/" not in (address := first.get("ip", "")):
        return None
    return Lease(address, first.get("gw", ""), told.nameservers)


def _wipe(disk: Path) -> None:
    for name in (*VOLUMES.values(), "installed"):
        path = disk / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _first(process: asyncio.subprocess.Process) -> int | None:
    """PID 1 of the machine, the only child of unshare(1)."""
    try:
        return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    except (OSError, IndexError):
        return None


async def _pull_plug(process: asyncio.subprocess.Process) -> None:
    """PID 1 of the machine takes everything in it down; unshare(1), its parent, ends only when all of it is gone."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(_first(process) or process.pid, signal.SIGKILL)
        await process.wait()


async def _appears(file: Path) -> None:
    """Returns once the file is there with something in it."""
    while not (file.exists() and file.stat().st_size):  # noqa: ASYNC110 - written by another process
        await asyncio.sleep(_POLL)


def _has_address(configuration: Path) -> bool:
    """Whether a stored machine configuration brings a static address, so that nobody asks DHCP for one."""
    try:
        documents = list(yaml.load_all(configuration.read_text(), Loader=yaml.CSafeLoader))
    except FileNotFoundError:
        return False
    machine: dict[str, Any] = next(
        (document["machine"] for document in documents if document and "machine" in document), {}
    )
    links = [document for document in documents if document and document.get("kind", "").endswith("LinkConfig")]
    interfaces = (machine.get("network") or {}).get("interfaces") or []
    return any(entry.get("addresses") or entry.get("address") for entry in [*interfaces, *links])


async def _run(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {said.decode().strip()}")
