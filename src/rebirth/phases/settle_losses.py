"""Machines that are gone, or whose disk is: what they have left in the cluster is taken out before they are made anew.

What is lost with them is said first, and nothing is done until the operator has accepted that.
"""

import asyncio
from functools import partial

from rebirth.castle import Machine, Machines, Proxmox
from rebirth.errors import Broken
from rebirth.paths import Paths
from rebirth.phases.bootstrap_kubernetes import ETCD
from rebirth.phases.made import machine_records as records
from rebirth.phases.made import nodes
from rebirth.phases.made.api_servers import answering
from rebirth.phases.made.etcd_seats import seats_without
from rebirth.phases.made.lost_volumes import lost_with
from rebirth.providers.access import ClusterAccess
from rebirth.providers.proxmox import ProxmoxApi, Vm
from rebirth.providers.talos import PORT, Talosctl
from rebirth.run.change import Change, How
from rebirth.run.consent import Consent
from rebirth.run.facts import LossesSettled, OutsideReached
from rebirth.run.journal import Once
from rebirth.run.waiting import note, together, until

LAYER = "platform"
PATIENCE = 600  # after a power cut all that is left has to come up first
ON_DEMAND = True
HINT = (
    "What is lost with a machine shows in the cluster alone. If that is not to be had: `rebirth create --accept-loss` goes on "
    "without having asked it."
)
_OPERATION = "replace machines"
_LAST_WORD = 60.0  # seconds for a cluster that may be gone, where its loss is accepted


async def settle_losses(
    machines: Machines,
    paths: Paths,
    consent: Consent,
    once: Once,
    talosctl: Talosctl,
    access: ClusterAccess,
    spec: Proxmox | None,
    proxmox: ProxmoxApi | None,
    outside: OutsideReached,
) -> LossesSettled:
    """Settle what lost machines leave behind."""
    if not (access.is_known and talosctl.has_credentials):
        return LossesSettled(())  # there was no cluster yet
    lost = await _lost(machines, paths, talosctl, spec, proxmox)
    if not lost:
        return LossesSettled(())
    names = [machine.name for machine in lost]
    staying = {plane.name: str(plane.address) for plane in machines.control_planes if plane not in lost}
    if staying:
        await _settle(lost, staying, consent, talosctl, access)
    elif once.ended(ETCD):
        if not consent.loss:
            text = (
                f"{', '.join(names)}: gone, and no control plane is left: etcd, and all that the cluster was, is lost"
            )
            hint = (
                "Bring one of them back (its VM, its disk); or `rebirth create --accept-loss` makes a new cluster, and what is on "
                "other machines' disks is nobody's in it; or `rebirth destroy`, then `rebirth create`."
            )
            raise Broken(text, operation=_OPERATION, hint=hint)
        once.forget(ETCD)
    for machine in lost:
        records.made(paths, machine.name)  # nothing has been sent to the one that takes its place
    return LossesSettled(tuple(names))


async def changes(
    machines: Machines, paths: Paths, talosctl: Talosctl, access: ClusterAccess, proxmox: ProxmoxApi | None
) -> list[Change]:
    """What would be lost; that a machine is made anew says who makes it."""
    if not (access.is_known and talosctl.has_credentials):
        return []
    known, there = _known(machines, paths), await _there(proxmox)
    gone = [machine for machine in known if there is not None and machine.name not in there]
    left = [machine for machine in known if machine not in gone]
    wiped = [machine for machine in left if await _is_empty(machine, talosctl)]
    found = [Change(f"machine {one.name}", How.NOW, "its disk is empty, and it is configured anew") for one in wiped]
    names = [machine.name for machine in (*gone, *wiped)]
    staying = [str(plane.address) for plane in machines.control_planes if plane.name not in names]
    if names and staying:
        async with access.opened(await answering(access, staying)) as cluster:
            volumes = await lost_with(cluster, names)
        why = f"is lost with {', '.join(names)}: create stops before anything is done, unless --accept-loss gives it up"
        found += [Change(str(volume), How.REFUSED, why) for volume in volumes]
    elif names:
        why = "gone, and etcd with it: create stops, unless --accept-loss begins a new cluster"
        found += [Change(f"machine {name}", How.REFUSED, why) for name in names]
    return found


async def _is_empty(machine: Machine, talosctl: Talosctl) -> bool:
    """Of one that may be off: then it says nothing."""
    address = str(machine.address)
    return await talosctl.serves(address=address, port=PORT) and await talosctl.in_maintenance(address=address)


async def _lost(
    machines: Machines, paths: Paths, talosctl: Talosctl, spec: Proxmox | None, proxmox: ProxmoxApi | None
) -> list[Machine]:
    """Machines that were part of the cluster, and are not there any more, or have an empty disk."""
    known = _known(machines, paths)
    there = await _there(proxmox)
    gone = [machine for machine in known if there is not None and machine.name not in there]
    await together(*(_refuse_alive(machine, talosctl) for machine in gone))
    left = [machine for machine in known if machine not in gone]
    if there is not None and proxmox and spec:
        left = [machine for machine in left if spec.tag in there[machine.name].tags]
        off = [vm for machine in left if not (vm := there[machine.name]).running]
        if off:  # only who runs can say what it has
            note(f"started {', '.join(vm.name for vm in off)}")
            await together(*(proxmox.start(node=vm.node, vm_id=vm.vm_id) for vm in off))
    await together(*(_answers(machine, talosctl) for machine in left))
    empty = await together(*(talosctl.in_maintenance(address=str(machine.address)) for machine in left))
    wiped = [machine for machine, is_empty in zip(left, empty, strict=True) if is_empty]
    return [machine for machine in known if machine in [*gone, *wiped]]


def _known(machines: Machines, paths: Paths) -> list[Machine]:
    """Those that were sent a configuration."""
    given = {machine.name: records.known(paths, machine.name) for machine in machines.nodes}
    if all(digests is None for digests in given.values()):  # the records are lost: any may have been
        return machines.nodes
    return [machine for machine in machines.nodes if given[machine.name]]


async def _there(proxmox: ProxmoxApi | None) -> dict[str, Vm] | None:
    """By name, with whatever tag: one of that name without ours is not lost. None where it is not Proxmox that has them."""
    return {vm.name: vm for vm in await proxmox.machines()} if proxmox else None


async def _refuse_alive(machine: Machine, talosctl: Talosctl) -> None:
    """Raises Broken where Proxmox only does not show a machine that is there: a token may see less than all."""
    address = str(machine.address)
    if await talosctl.serves(address=address, port=PORT) and await talosctl.answers(address=address):
        text = f"{machine.name} is not among the machines that Proxmox lists, and yet it answers at {address}"
        hint = "Is proxmox.endpoint right, and may the token see all of the castle's machines (VM.Audit)?"
        raise Broken(text, system="Proxmox", operation="list machines", hint=hint)


async def _answers(machine: Machine, talosctl: Talosctl) -> None:
    listens = partial(talosctl.listens, address=str(machine.address))
    await until(listens, what=f"{machine.name} answers", every=0.25, slowest=3)


async def _settle(
    lost: list[Machine], staying: dict[str, str], consent: Consent, talosctl: Talosctl, access: ClusterAccess
) -> None:
    names = [machine.name for machine in lost]
    dead, asked = [], ""
    if any(machine.role == "controlplane" for machine in lost):
        seats = await seats_without(names, staying, talosctl, dead=True)
        dead, asked = seats.of(names), seats.asked
    server = await _server(access, staying, consent)
    volumes = []
    if server is not None:
        async with access.opened(server) as cluster:
            volumes = await lost_with(cluster, names)
    if volumes and not consent.loss:
        raise _refusal(names, [str(volume) for volume in volumes])
    for member in dead:
        await talosctl.remove_etcd_member(member, address=asked)
        note(f"took {member.name}, which is gone, out of etcd")
    if server is None:
        note(f"what was lost with {', '.join(names)} is not known: the cluster does not answer")
        return
    async with access.opened(server) as cluster:
        for name in names:
            await nodes.forget(cluster, name)
    for volume in volumes:
        note(f"gave up {volume}")


async def _server(access: ClusterAccess, staying: dict[str, str], consent: Consent) -> str | None:
    """An API server that answers; None where none does, and that is accepted."""
    look = partial(answering, access, tuple(staying.values()))
    try:
        async with asyncio.timeout(_LAST_WORD if consent.loss else None):
            return await until(look, what="the cluster says what is lost", every=1, slowest=5)
    except TimeoutError:
        return None


def _refusal(names: list[str], lost: list[str]) -> Broken:
    text = f"{', '.join(names)}: gone, and no sound copy is left of {'; of '.join(lost)}"
    hint = (
        "Nothing was done. Bring the machine or its disk back; or `rebirth create --accept-loss` removes these claims and pods, so "
        "that whoever keeps them makes new ones, which are empty: restore what was in them from a backup."
    )
    return Broken(text, operation=_OPERATION, hint=hint)
