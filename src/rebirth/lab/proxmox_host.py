"""The Proxmox host of a rehearsal: what castle.yaml names of it, and what lab.yaml says of its token, its room and its pace."""

import math
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from starlette.types import ASGIApp

from rebirth.castle import Castle, Placed, Proxmox, placement
from rebirth.errors import SpecError
from rebirth.lab.proxmox import Pace, Pve, Rights, Storage, proxmox_app
from rebirth.lab.proxmox.hypervisor import Hypervisor
from rebirth.lab.proxmox.recording import into, recording
from rebirth.lab.spec import ProxmoxHost

RECORD = "REBIRTH_LAB_EXCHANGES"  # a file: every request to the Proxmox API and its answer are written there, without headers
_VMS = "VM.Allocate VM.Audit VM.Config.CPU VM.Config.Disk VM.Config.HWType VM.Config.Memory VM.Config.Network VM.Config.Options VM.PowerMgmt"


def section(castle: Castle) -> Proxmox:
    """Raises SpecError where the castle has none: the lab makes machines through Proxmox alone."""
    if castle.proxmox is None:
        hint = "Rehearse it with a section `proxmox` in place of `existing`."
        raise SpecError("the lab has no machines that somebody else made", hint=hint)
    return castle.proxmox


def host(castle: Castle, lab: ProxmoxHost, *, token: str, hypervisor: Hypervisor, ca: Path) -> Pve:
    """A host, or a cluster of all the nodes, with what the castle names of each."""
    hardware = [castle.machines.hardware(machine) for machine in castle.machines.nodes]
    shared: dict[str, Storage] = {}
    first, *more = section(castle).all_nodes + sorted(
        {place.node for place in _places(castle)} - {*section(castle).all_nodes}
    )
    return Pve(
        first,
        token,
        hypervisor,
        _storages(castle, first, lab, shared),
        str(ca),
        frozenset(_bridges(castle)),
        Rights(_given(lab.token_rights) if lab.token_rights is not None else least_rights(castle)),
        Pace(lab.task_seconds, lab.mib_per_second * (1 << 20) if lab.mib_per_second else math.inf),
        others={node: _storages(castle, node, lab, shared) for node in more},
        pools=frozenset(own.pool for own in hardware if own.pool),
        mappings=frozenset(device.mapping for own in hardware for device in own.pci),
    )


def _places(castle: Castle) -> list[Placed]:
    return list(placement(castle.machines, section(castle)).values())


def _bridges(castle: Castle) -> Iterator[str]:
    yield from (place.bridge for place in _places(castle))
    yield from (card.bridge for one in castle.machines.nodes for card in castle.machines.hardware(one).interfaces)


def _networks(castle: Castle) -> Iterator[str]:
    """What a card hangs on, as Proxmox' permissions name it."""
    places = placement(castle.machines, section(castle))
    for machine in castle.machines.nodes:
        own = castle.machines.hardware(machine)
        for bridge, vlan in (
            (places[machine.name].bridge, own.vlan),
            *((card.bridge, card.vlan) for card in own.interfaces),
        ):
            yield bridge if vlan is None else f"{bridge}/{vlan}"


def least_rights(castle: Castle) -> dict[str, frozenset[str]]:
    """What SECURITY.md says that the castle's token needs, and nothing else: a rehearsal proves that it is enough."""
    given: dict[str, set[str]] = defaultdict(set, {"/vms": set(_VMS.split())})
    for place in _places(castle):
        given[f"/nodes/{place.node}"] |= {"Sys.AccessNetwork"}
        given[f"/storage/{place.image_storage}"] |= {"Datastore.AllocateTemplate", "Datastore.Audit"}
        given[f"/storage/{place.disk_storage}"] |= {"Datastore.AllocateSpace"}
    for network in _networks(castle):
        given[f"/sdn/zones/localnetwork/{network}"] |= {"SDN.Use"}
    for machine in castle.machines.nodes:
        own = castle.machines.hardware(machine)
        for disk in own.disks:
            given[f"/storage/{disk.storage}"] |= {"Datastore.AllocateSpace"} if disk.storage else set()
        for device in own.pci:
            given[f"/mapping/pci/{device.mapping}"] |= {"Mapping.Use"}
        given["/"] |= {"Sys.Modify"} if own.startup else set()
        given["/"] |= {"Sys.Console"} if own.high_availability else set()
    return _given({path: sorted(privileges) for path, privileges in given.items() if privileges})


def _given(rights: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    return {path: frozenset(privileges) for path, privileges in rights.items()}


def _storages(castle: Castle, node: str, lab: ProxmoxHost, shared: dict[str, Storage]) -> dict[str, Storage]:
    """Of one node. Those that all nodes share are in `shared`, or come into it."""
    contents: dict[str, set[str]] = defaultdict(set)
    places = placement(castle.machines, section(castle))
    for machine in castle.machines.nodes:
        place = places[machine.name]
        if place.node == node:
            contents[place.image_storage] |= {"iso", "vztmpl", "import"}
            for disk in (None, *castle.machines.hardware(machine).disks):
                contents[(disk and disk.storage) or place.disk_storage] |= {"images", "rootdir"}
    found = {}
    for name, content in contents.items():
        if name in lab.shared_storages:
            found[name] = shared.setdefault(name, _storage(name, content, lab))
            found[name].content |= content
        else:
            found[name] = _storage(name, content, lab)
    return found


def _storage(name: str, content: set[str], lab: ProxmoxHost) -> Storage:
    """Disks of a storage with a size take their whole room: only so can a rehearsal fill it."""
    size, shared = lab.storage_gib.get(name), name in lab.shared_storages
    if size is None:
        return Storage(frozenset(content), shared=shared)
    return Storage(frozenset(content), total=int(size * (1 << 30)), thin=False, shared=shared)


def app(pve: Pve) -> ASGIApp:
    """Its API; what is asked of it is recorded where the environment says so."""
    api = proxmox_app(pve)
    return recording(api, into(Path(file))) if (file := os.environ.get(RECORD)) else api
