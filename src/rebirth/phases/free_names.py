"""A stale device on the tailnet would make the new machine `name-1`, and nothing would find it."""

import base64
import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from rebirth.castle import Machines, Tailscale
from rebirth.errors import Broken, NotYet
from rebirth.paths import Paths
from rebirth.phases.made import machine_records as records
from rebirth.providers.access import ClusterAccess
from rebirth.providers.cluster import Cluster
from rebirth.providers.tailnet import Device, TailnetApi
from rebirth.run.facts import LossesSettled, MachinesBooted, MachinesCreated, Made, NamesFreed
from rebirth.run.journal import Marks
from rebirth.run.waiting import note, together

LAYER = "platform"
PATIENCE = 60
ON_DEMAND = True
UNDO_AFTER = (MachinesCreated, MachinesBooted)  # once the machines are gone no device comes back
OPERATOR_TAG = "tag:k8s-operator"  # of Tailscale's operator, unless its chart is told another
PROXY_TAG = "tag:k8s"  # of what the operator makes, unless its chart is told another
_OTHERS = "device of another cluster"  # as it was when this castle's could still say which are its own


async def free_names(
    tailscale: Tailscale,
    machines: Machines,
    paths: Paths,
    tailnet: TailnetApi,
    settled: LossesSettled,
    created: MachinesCreated | None,
) -> NamesFreed:
    """Free the tailnet names that the castle needs."""
    devices = await tailnet.devices()
    refuse_foreign(devices, tailscale, machines, paths)
    ours, new = set(tailscale.node_key.tags), _never_configured(machines, paths)
    # A device of ours that is connected belongs to this very castle: create goes on after a crash. But it is no machine's that
    # was only just made: that device is the one of the machine before it, and the tailnet has not noticed its end yet.
    stale = [device for device in devices if device.name in tailscale.names and not device.connected]
    stale += [device for device in devices if device.connected and device.name in new and ours & set(device.tags)]
    await together(*(_remove(tailnet, device) for device in stale))
    gone = {device.identity for device in stale}
    if left := [device.name for device in (await tailnet.devices() if gone else ()) if device.identity in gone]:
        hint = "Remove them in the admin console of the tailnet."
        raise NotYet(f"Tailscale: delete device: still on the tailnet: {', '.join(left)}", hint=hint)
    return NamesFreed(tuple(tailscale.names))


def refuse_foreign(devices: Iterable[Device], tailscale: Tailscale, machines: Machines, paths: Paths) -> None:
    """Raises Broken where somebody else holds a name that the castle needs."""
    ours = set(tailscale.node_key.tags)
    for device in devices:
        if device.name in tailscale.names and not ours & set(device.tags) and not _an_operator(device, machines, paths):
            hint = "Remove that device, or change tailscale.names."
            whose = f"with the tags {', '.join(device.tags)}" if device.tags else "of a user"
            raise Broken(
                f"the name {device.name} belongs to a device that is not this castle's: one {whose}",
                system="Tailscale",
                operation="free names",
                hint=hint,
            )


def _an_operator(device: Device, machines: Machines, paths: Paths) -> bool:
    """Whether it is this castle's own operator, or was left by an operator of an earlier castle.

    One that is connected is this castle's own where there is a cluster of it already, and does not stand in for a machine.
    """
    if OPERATOR_TAG not in device.tags:
        return False
    is_machine = device.name in {machine.name for machine in machines.nodes}
    return not device.connected or (paths.kubeconfig.exists() and not is_machine)


def _never_configured(machines: Machines, paths: Paths) -> set[str]:
    return {machine.name for machine in machines.nodes if records.known(paths, machine.name) == ()}


async def _remove(tailnet: TailnetApi, device: Device) -> None:
    await tailnet.delete_device(identity=device.identity)
    note(f"removed the stale device {device.name} from the tailnet")


async def undo(
    tailscale: Tailscale,
    machines: Machines,
    paths: Paths,
    tailnet: TailnetApi,
    access: ClusterAccess,
    marks: Marks,
) -> list[Made]:
    """The tailnet devices that have the castle's names, or that its cluster made.

    Nodes' devices are known by name and tag. What the operator makes has names of others' choosing and is not ephemeral:
    the cluster knows which it is, for as long as it lives.
    """
    devices = await tailnet.devices()  # before the cluster is asked: what joins in between is nobody's yet
    inside = await access.told(_devices_inside)
    known = (inside or frozenset()) | marks.of("device")
    ours = [
        device
        for device in devices
        if {device.identity, device.node_identity} & known or _named(device, tailscale, machines)
    ]
    found = [
        Made("device", device.name, device.identity, partial(tailnet.delete_device, identity=device.identity))
        for device in ours
    ]
    others = [device for device in devices if device not in ours and {OPERATOR_TAG, PROXY_TAG} & set(device.tags)]
    if inside is not None:
        marks.see(_OTHERS, [device.identity for device in others])
        return found
    asked = marks.seen(_OTHERS)
    if asked is not None:
        why = "it appeared while the castle was removed, and may be its last: if it is, remove it by hand"
        doubtful = [device for device in others if device.identity not in asked]
    elif not paths.kubeconfig.exists() and not known and not ours:
        return found  # nothing is there of a castle
    else:
        why = "the cluster does not answer, and nothing else shows whether it is this castle's; if it is, remove it by hand"
        doubtful = others
    return found + [Made("device", device.name, device.identity, stays=why) for device in doubtful]


def _named(device: Device, tailscale: Tailscale, machines: Machines) -> bool:
    """Whether it has one of the castle's names, and a tag of its nodes or of an operator."""
    tags = {*tailscale.node_key.tags, OPERATOR_TAG, PROXY_TAG}
    names = {*tailscale.names, *(machine.name for machine in machines.nodes)}
    return bool(tags & set(device.tags) and names & {device.name, device.hostname})


async def _devices_inside(cluster: Cluster) -> frozenset[str]:
    """Ids of the devices whose state lies in Secrets of the cluster."""
    secrets = await cluster.all("v1", "Secret")
    return frozenset(identity for secret in secrets for identity in _identities(secret.get("data") or {}))


def _identities(data: dict[str, str]) -> Iterator[str]:
    """Which devices a Secret holds the state of: a proxy's says it, the operator's has the state alone.

    Any Secret may have keys of these names, and hold anything in them.
    """
    if said := _decoded(data.get("device_id")).strip():
        yield said
    try:
        profiles: Any = json.loads(_decoded(data.get("_profiles")) or "{}")
    except ValueError:
        return
    for profile in profiles.values() if isinstance(profiles, dict) else ():
        if isinstance(profile, dict) and isinstance(known := profile.get("NodeID"), str) and known:
            yield known


def _decoded(encoded: str | None) -> str:
    return base64.b64decode(encoded or "").decode(errors="replace")
