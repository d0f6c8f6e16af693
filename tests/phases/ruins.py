"""A castle that was created, on the stood-in outside, and what is left of it after destroy."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rebirth.events import Event, Events, Noted, PhaseRetried
from rebirth.lab.proxmox import Volume
from rebirth.phases import BOOTSTRAP
from rebirth.run.destroy import Destruction, Found
from rebirth.run.journal import Journal
from serving import hang_up_what_nobody_holds

if TYPE_CHECKING:
    from phases.conftest import Outside

OURS, OPERATOR, PROXY = "tag:tazlab-k8s", "tag:k8s-operator", "tag:k8s"


def somebodys(name: str, tag: str, image: str = "local:iso/talos.iso") -> dict[str, str | int]:
    """Options of a small machine that this castle's phases did not make."""
    disks = {"scsi0": "local-lvm:10", "ide2": f"{image},media=cdrom", "boot": "order=scsi0;ide2"}
    return {"name": name, "cores": 1, "memory": 1024, "net0": "virtio,bridge=vmbr0", "tags": tag, **disks}


async def _add_machine(outside, vm_id, name, tag):
    await outside.proxmox.create(node="pve", vm_id=vm_id, options=somebodys(name, tag))


@dataclass
class Ruin:
    """A castle that was created in that outside; `await ruin()` destroys it, as the command does."""

    outside: "Outside"
    seen: list[Event] = field(default_factory=list)
    when: Callable[[Event], None] = lambda _: None  # what else happens meanwhile

    async def __call__(self, *, patience: float = 200) -> Found:
        with Journal(self.outside.paths.state, lenient=True) as journal:
            destruction = self.destruction(journal, patience)
            found = await destruction.look()
            return await destruction.remove(found) if found.outcome.ok else found

    def destruction(self, journal: Journal, patience: float = 200, budget: float | None = None) -> Destruction:
        outside, events = self.outside, Events(self.seen.append, lambda event: self.when(event))
        return Destruction(
            BOOTSTRAP, outside.castle, outside.paths, journal, events, outside.redaction,
            patience=patience, budget=budget,
        )  # fmt: skip

    @property
    def said(self) -> list[str]:
        return [event.text for event in self.seen if isinstance(event, Noted)]

    @property
    def waited(self) -> list[str]:
        return [event.error for event in self.seen if isinstance(event, PhaseRetried)]


async def ruined(outside: "Outside") -> Ruin:
    """Machines, devices, a key and files of a castle, and beside each something that is not its own."""
    outside.pve.storage("local").volumes["local:iso/talos.iso"] = Volume("iso", 1 << 20)
    await _add_machine(outside, 800, "lushycorp-k8s", outside.castle.proxmox.tag)
    await _add_machine(outside, 801, "tazlab-k8s-worker-1", outside.castle.proxmox.tag)
    await _add_machine(outside, 802, "lushycorp-k8s", "theirs")
    await outside.proxmox.start(node="pve", vm_id=800)
    for name, tags in (
        ("lushycorp-k8s", (OURS,)),
        ("lushycorp-k8s", (OURS,)),  # becomes lushycorp-k8s-1
        ("tazlab-k8s-operator", (OPERATOR,)),
        ("tazlab-k8s-worker-1", ()),  # somebody's own, without a tag of ours
        ("elsewhere", (OURS,)),  # of another castle that shares the tag
        ("lushycorp-vault", ()),
    ):
        outside.control.add_device(name, tags=tags)
    for description in ("rebirth tazlab-k8s", "rebirth other", "somebody's"):
        await outside.tailscale.mint_key(
            tags=[OURS], seconds=3600, reusable=True, ephemeral=True, description=description
        )
    for file in (outside.paths.kubeconfig, outside.paths.talosconfig, outside.paths.talos_secrets):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("nonsense")
    outside.faults.writes.clear()
    return Ruin(outside)


def names_left(outside):
    keys = [key.description for key in outside.tailnet.keys.values() if key.revoked is None]
    devices = sorted(device.name for device in outside.control.devices.values())
    return sorted(outside.pve.machines), devices, keys


LEFT = ([802], ["elsewhere", "lushycorp-vault", "tazlab-k8s-worker-1"], ["rebirth other", "somebody's"])


async def killed_when(ruin, reached) -> None:
    """Destroys until something is reached, and no further."""
    killed = asyncio.ensure_future(ruin())
    while not reached() and not killed.done():
        await asyncio.sleep(0)
    killed.cancel()
    with suppress(asyncio.CancelledError):
        await killed
    hang_up_what_nobody_holds()
    assert reached()


def files_left(outside):
    return sorted(file.name for file in outside.paths.produced.glob("*"))
