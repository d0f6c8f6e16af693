"""A stale device on the tailnet would make the new machine `name-1`, and nothing would find it."""

from collections.abc import Iterable

from rebirth.castle import Machines, Tailscale
from rebirth.errors import Broken
from rebirth.phases.made import machine_records as records
from rebirth.place import Place
from rebirth.providers.tailnet import Device, TailnetApi
from rebirth.run.facts import MachinesCreated, NamesFreed
from rebirth.run.waiting import note, together

LAYER = "platform"
PATIENCE = 60
ON_DEMAND = True
OPERATOR_TAG = "tag:k8s-operator"  # of Tailscale's operator, unless its chart is told another


async def free_names(
    tailscale: Tailscale, machines: Machines, place: Place, tailnet: TailnetApi, created: MachinesCreated
) -> NamesFreed:
    """Free the tailnet names that the castle needs."""
    devices = await tailnet.devices()
    refuse_foreign(devices, tailscale, machines, place)
    ours, new = set(tailscale.node_key.tags), _never_configured(machines, place)
    # A device of ours that is connected belongs to this very castle: create goes on after a crash. But it is no machine's that
    # was only just made: that device is the one of the machine before it, and the tailnet has not noticed its end yet.
    stale = [device for device in devices if device.name in tailscale.names and not device.connected]
    stale += [device for device in devices if device.connected and device.name in new and ours & set(device.tags)]
    await together(*(_remove(tailnet, device) for device in stale))
    return NamesFreed(tuple(tailscale.names))


def refuse_foreign(devices: Iterable[Device], tailscale: Tailscale, machines: Machines, place: Place) -> None:
    """Raises Broken where somebody else holds a name that the castle needs."""
    ours = set(tailscale.node_key.tags)
    for device in devices:
        if device.name in tailscale.names and not ours & set(device.tags) and not _an_operator(device, machines, place):
            hint = "Remove that device, or change tailscale.names."
            raise Broken(
                f"the name {device.name} is held by a device that is not this castle's",
                system="Tailscale",
                operation="free names",
                hint=hint,
            )


def _an_operator(device: Device, machines: Machines, place: Place) -> bool:
    """Whether it is this castle's own operator, or was left by an operator of an earlier castle.

    One that is connected is this castle's own where there is a cluster of it already, and does not stand in for a machine.
    """
    if OPERATOR_TAG not in device.tags:
        return False
    is_machine = device.name in {machine.name for machine in machines.nodes}
    return not device.connected or (place.kubeconfig.exists() and not is_machine)


def _never_configured(machines: Machines, place: Place) -> set[str]:
    return {machine.name for machine in machines.nodes if records.known(place, machine.name) == ()}


async def _remove(tailnet: TailnetApi, device: Device) -> None:
    await tailnet.delete_device(identity=device.identity)
    note(f"removed the stale device {device.name} from the tailnet")
