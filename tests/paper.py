"""A hypervisor on paper, for tests of what talks to Proxmox."""

import asyncio
from dataclasses import dataclass, field

from rebirth.lab.proxmox.hypervisor import VirtualMachine


@dataclass
class PaperHypervisor:
    """A hypervisor on paper: it notes what it is told, and runs nothing."""

    started: dict[int, VirtualMachine] = field(default_factory=dict)
    destroyed: list[int] = field(default_factory=list)
    deaf: set[int] = field(default_factory=set)  # machines that do not obey the power button
    written: set[int] = field(default_factory=set)  # machines whose disk holds a system

    async def start(self, vm):
        await asyncio.sleep(0.01)
        if vm.boot_image or vm.vmid in self.written:
            self.started[vm.vmid] = vm

    async def stop(self, vmid):
        self.started.pop(vmid, None)

    async def shutdown(self, vmid):
        if vmid not in self.deaf:
            await self.stop(vmid)

    async def running(self, vmid):
        return vmid in self.started

    async def destroy(self, vmid):
        self.destroyed.append(vmid)
        self.written.discard(vmid)
