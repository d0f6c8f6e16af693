"""A hypervisor and a control server on paper, for tests of what talks to Proxmox and Tailscale."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rebirth.lab.proxmox.hypervisor import VirtualMachine
from rebirth.lab.tailscale import Node


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


@dataclass
class PaperControl:
    """A control server on paper: it notes who joined, and lets nobody talk to anybody.

    `now` is the clock, in seconds since the epoch.
    """

    now: Callable[[], float] = time.time
    devices: dict[str, Node] = field(default_factory=dict)  # by the id that the device itself knows
    minted: dict[str, dict[str, Any]] = field(default_factory=dict)  # by secret

    async def mint(self, **wanted):
        secret = secrets.token_hex(24)
        self.minted[secret] = wanted | {"used": False}
        return secret

    async def expire(self, secret):
        self.minted[secret]["expires"] = self.now()

    async def used_up(self):
        return frozenset(secret for secret, key in self.minted.items() if key["used"] and not key["reusable"])

    async def nodes(self):
        return list(self.devices.values())

    async def remove(self, node):
        del self.devices[node]

    def join(self, key, hostname):
        """What a device does with a key's value; the node, or None where the key lets nobody in."""
        secret = key.rpartition("-")[2]
        known = self.minted.get(secret)
        if known is None or known["expires"] <= self.now() or (known["used"] and not known["reusable"]):
            return None
        known["used"] = True
        return self.add_device(hostname, tags=known["tags"], ephemeral=known["ephemeral"], key=secret)

    def add_device(self, hostname, *, tags=(), ephemeral=False, connected=True, key=""):
        """A device, under its hostname or, where that is taken, under the hostname with a number."""
        taken, name, number = {node.name for node in self.devices.values()}, hostname, 0
        while name in taken:
            number += 1
            name = f"{hostname}-{number}"
        identity, address = f"n{secrets.token_hex(6)}CNTRL", f"100.64.0.{len(self.devices) + 1}"
        self.devices[identity] = node = Node(
            identity, hostname, name, (address,), tuple(tags), ephemeral, self.now(), self.now(), connected, key=key
        )
        return node
