"""Back to nothing: everything that this castle made outside, in reverse; then a look whether anything is left."""

import asyncio
import base64
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeVar

from rebirth.castle import Castle
from rebirth.errors import Broken, NotYet
from rebirth.phases.connections import proxmox_api, tailnet_api
from rebirth.phases.free_names import OPERATOR_TAG
from rebirth.phases.mint_node_key import key_description
from rebirth.phases.resolve_secrets import resolve_secrets
from rebirth.place import Place
from rebirth.providers.cluster import Cluster
from rebirth.providers.proxmox import ProxmoxApi, Vm
from rebirth.providers.tailnet import Device, TailnetApi
from rebirth.providers.talos import SCRATCH
from rebirth.run.journal import Journal
from rebirth.run.waiting import together, until
from rebirth.secrets import Redaction

T = TypeVar("T")
_PATIENCE_INSIDE = 5.0  # seconds for a cluster that may be dead already


async def destroy(
    castle: Castle, place: Place, redaction: Redaction, report: Callable[[str], None], *, patience: float = 120
) -> None:
    """Works from names and tags alone: a lost journal loses nothing. Raises Broken where something stays.

    `patience`: seconds for each step while the outside does not answer, or is busy.
    """
    insist = partial(_insist, patience)
    with Journal(place.state) as journal:
        secrets = await resolve_secrets(castle, place, redaction)
        async with AsyncExitStack() as stack:
            tailnet, proxmox = tailnet_api(castle.tailscale, secrets), proxmox_api(castle.proxmox, secrets)
            stack.push_async_callback(tailnet.close)
            stack.push_async_callback(proxmox.close)
            inside = await _devices_inside(place)
            before = _ours(castle, inside, await insist("list devices", tailnet.devices))
            await insist("remove keys", partial(_remove_keys, castle, tailnet, report))
            await insist("remove machines", partial(_remove_machines, castle, proxmox, report))
            # The machines are gone, so that no device comes back; operators and proxies die with the cluster, too.
            await insist("remove devices", partial(_remove_devices, before, tailnet, report))
            await insist("look what is left", partial(_prove, castle, inside, proxmox, tailnet))
        for file in (place.kubeconfig, place.talosconfig, place.talos_secrets):
            file.unlink(missing_ok=True)
        shutil.rmtree(place.produced / SCRATCH, ignore_errors=True)
        journal.forget()
    report("nothing is left")


async def _insist(patience: float, operation: str, step: Callable[[], Awaitable[T]]) -> T:
    """Does a step again while the outside does not answer, or is busy."""
    last = NotYet("nothing")

    async def attempt() -> T:
        nonlocal last
        try:
            return await step()
        except NotYet as error:
            last = error
            raise

    try:
        async with asyncio.timeout(patience):
            return await until(attempt, what=operation, every=1)
    except TimeoutError:
        hint = last.hint or "Run destroy again."
        raise Broken(f"not done after {patience:.0f} s; saw last: {last}", operation=operation, hint=hint) from None


async def _machines(castle: Castle, proxmox: ProxmoxApi) -> list[Vm]:
    """Those of this castle. Raises NotYet while it does not show whose a machine is."""
    found = await proxmox.machines()
    if born := [vm.vm_id for vm in found if vm.lock == "create" and vm.vm_id in castle.proxmox.vm_ids]:
        raise NotYet(f"Proxmox is still creating the machine {born[0]}")
    return [vm for vm in found if castle.proxmox.tag in vm.tags]


async def _remove_machines(castle: Castle, proxmox: ProxmoxApi, report: Callable[[str], None]) -> None:
    async def remove(vm: Vm) -> None:
        if vm.running:
            await proxmox.stop(vm_id=vm.vm_id)
        await proxmox.delete(vm_id=vm.vm_id)
        report(f"removed the machine {vm.name} ({vm.vm_id})")

    await together(*map(remove, await _machines(castle, proxmox)))


async def _remove_keys(castle: Castle, tailnet: TailnetApi, report: Callable[[str], None]) -> None:
    """Keys that were minted for this castle and are still valid; each run of create that configured a machine left one."""
    for identity in await _keys(castle, tailnet):
        await tailnet.delete_key(identity=identity)
        report(f"removed the key {identity} from the tailnet")


async def _keys(castle: Castle, tailnet: TailnetApi) -> list[str]:
    wanted = key_description(castle.name)
    return [identity for identity, description in (await tailnet.keys()).items() if description == wanted]


async def _devices_inside(place: Place) -> frozenset[str]:
    """Ids of the devices that Tailscale's operator and its proxies made: each keeps its own in a Secret of the cluster.

    Where the cluster does not answer they are not known; they are ephemeral, and the tailnet drops them by itself.
    """
    if not place.kubeconfig.exists():
        return frozenset()
    try:
        async with asyncio.timeout(_PATIENCE_INSIDE), AsyncExitStack() as stack:
            cluster = Cluster(place=place)
            stack.push_async_callback(cluster.close)
            secrets = await cluster.all("v1", "Secret")
    except (TimeoutError, NotYet, Broken):
        return frozenset()
    found = [(secret.get("data") or {}).get("device_id") for secret in secrets]
    return frozenset(base64.b64decode(encoded).decode().strip() for encoded in found if encoded)


def _ours(castle: Castle, inside: frozenset[str], devices: list[Device]) -> list[Device]:
    """Devices made inside its cluster, and those with its tags or its operator's under one of its names."""
    tags = {*castle.tailscale.node_key.tags, OPERATOR_TAG}
    names = {*castle.tailscale.names, *(machine.name for machine in castle.machines.nodes)}
    return [
        device
        for device in devices
        if device.identity in inside or (tags & set(device.tags) and names & {device.name, device.hostname})
    ]


async def _remove_devices(devices: list[Device], tailnet: TailnetApi, report: Callable[[str], None]) -> None:
    there = {device.identity for device in await tailnet.devices()}
    for device in devices:
        if device.identity in there:
            await tailnet.delete_device(identity=device.identity)
            report(f"removed the device {device.name} from the tailnet")


async def _prove(castle: Castle, inside: frozenset[str], proxmox: ProxmoxApi, tailnet: TailnetApi) -> None:
    left = [f"the machine {vm.name}" for vm in await _machines(castle, proxmox)]
    left += [f"the device {device.name}" for device in _ours(castle, inside, await tailnet.devices())]
    left += [f"the key {identity}" for identity in await _keys(castle, tailnet)]
    if left:
        raise Broken(f"still there: {', '.join(left)}", operation="destroy", hint="Run destroy again.")
