"""Back to nothing: everything that this castle made outside, in reverse; then a look whether anything is left."""

import asyncio
import base64
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from rebirth.errors import Broken, NotYet
from rebirth.journal import Journal
from rebirth.phases.resolve_secrets import resolve_secrets
from rebirth.place import Place
from rebirth.providers.cluster import Cluster
from rebirth.providers.connections import proxmox_api, tailnet_api
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.tailnet import Device, TailnetApi
from rebirth.providers.talos import SCRATCH
from rebirth.secrets import Redaction
from rebirth.spec import Castle
from rebirth.waiting import together, until

T = TypeVar("T")
_PATIENCE = 5.0  # seconds for a cluster that may be dead already


async def destroy(castle: Castle, place: Place, redaction: Redaction, report: Callable[[str], None]) -> None:
    """Works from names and tags alone: a lost journal loses nothing. Raises Broken where something stays."""
    with Journal(place.state) as journal:
        secrets = await resolve_secrets(castle, place, redaction)
        async with AsyncExitStack() as stack:
            tailnet, proxmox = tailnet_api(castle.tailscale, secrets), proxmox_api(castle.proxmox, secrets)
            stack.push_async_callback(tailnet.close)
            stack.push_async_callback(proxmox.close)
            inside = await _devices_inside(place)
            before = _ours(castle, inside, await _insist(tailnet.devices))
            await _machines(castle, proxmox, report)
            # The machines are gone, so that no device comes back; operators and proxies die with the cluster, too.
            await _devices(castle, tailnet, before, report)
            await _prove(castle, inside, proxmox, tailnet)
        for file in (place.kubeconfig, place.talosconfig, place.talos_secrets):
            file.unlink(missing_ok=True)
        shutil.rmtree(place.produced / SCRATCH, ignore_errors=True)
        journal.forget()
    report("nothing is left")


async def _insist(call: Callable[[], Awaitable[T]]) -> T:
    """Asks again while the outside does not answer."""
    return await until(call, what="the outside answers", every=1)


async def _machines(castle: Castle, proxmox: ProxmoxApi, report: Callable[[str], None]) -> None:
    ours = [vm for vm in await _insist(proxmox.machines) if castle.proxmox.tag in vm.tags]

    async def remove(vm_id: int, name: str, *, running: bool) -> None:
        if running:
            await proxmox.stop(vm_id=vm_id)
        await proxmox.delete(vm_id=vm_id)
        report(f"removed the machine {name} ({vm_id})")

    await together(*(remove(vm.vm_id, vm.name, running=vm.running) for vm in ours))


async def _devices_inside(place: Place) -> frozenset[str]:
    """Ids of the devices that Tailscale's operator and its proxies made: each keeps its own in a Secret of the cluster.

    Where the cluster does not answer they are not known; they are ephemeral, and the tailnet drops them by itself.
    """
    if not place.kubeconfig.exists():
        return frozenset()
    cluster = Cluster(place=place)
    try:
        async with asyncio.timeout(_PATIENCE):
            secrets = await cluster.all("v1", "Secret")
    except (TimeoutError, NotYet, Broken):
        return frozenset()
    finally:
        await cluster.close()
    found = [(secret.get("data") or {}).get("device_id") for secret in secrets]
    return frozenset(base64.b64decode(encoded).decode().strip() for encoded in found if encoded)


def _ours(castle: Castle, inside: frozenset[str], devices: list[Device]) -> list[Device]:
    """Devices with the castle's tags or names, and those made inside its cluster."""
    tags, names = set(castle.tailscale.node_key.tags), set(castle.tailscale.names)
    return [
        device
        for device in devices
        if device.identity in inside or tags & set(device.tags) or {device.name, device.hostname} & names
    ]


async def _devices(castle: Castle, tailnet: TailnetApi, devices: list[Device], report: Callable[[str], None]) -> None:
    for device in devices:
        await tailnet.delete_device(identity=device.identity)
        report(f"removed the device {device.name} from the tailnet")


async def _prove(castle: Castle, inside: frozenset[str], proxmox: ProxmoxApi, tailnet: TailnetApi) -> None:
    left = [f"the machine {vm.name}" for vm in await proxmox.machines() if castle.proxmox.tag in vm.tags]
    left += [f"the device {device.name}" for device in _ours(castle, inside, await tailnet.devices())]
    if left:
        raise Broken(f"still there: {', '.join(left)}", operation="destroy", hint="Run destroy again.")
