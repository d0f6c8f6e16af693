"""A stale device on the tailnet would make the new machine `name-1`, and nothing would find it."""

from rebirth.castle import Tailscale
from rebirth.errors import Broken
from rebirth.providers.tailnet import Device, TailnetApi
from rebirth.run.facts import NamesFreed, OutsideReached
from rebirth.run.waiting import note, together

LAYER = "key"
PATIENCE = 60
ON_DEMAND = True
OPERATOR_TAG = "tag:k8s-operator"  # of Tailscale's operator, unless its chart is told another


async def free_names(tailscale: Tailscale, tailnet: TailnetApi, outside: OutsideReached) -> NamesFreed:
    """Free the tailnet names that the castle needs."""
    holders = [device for device in await tailnet.devices() if device.name in tailscale.names]
    ours = set(tailscale.node_key.tags)
    # A device of ours that is connected belongs to this very castle: create goes on after a crash.
    stale = [device for device in holders if not device.connected]
    for device in holders:
        if not ours & set(device.tags) and (device.connected or not _abandoned(device)):
            hint = "Remove that device, or change tailscale.names."
            raise Broken(
                f"the name {device.name} is held by a device that is not this castle's",
                system="Tailscale",
                operation="free names",
                hint=hint,
            )
    await together(*(_remove(tailnet, device) for device in stale))
    return NamesFreed(tuple(tailscale.names))


def _abandoned(device: Device) -> bool:
    """A device of the operator's tags is left by an operator of an earlier castle."""
    return OPERATOR_TAG in device.tags


async def _remove(tailnet: TailnetApi, device: Device) -> None:
    await tailnet.delete_device(identity=device.identity)
    note(f"removed the stale device {device.name} from the tailnet")
