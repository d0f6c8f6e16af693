"""The Proxmox host of a rehearsal: what castle.yaml names of it, and what lab.yaml says of its token, its room and its pace."""

import math
import os
from pathlib import Path

from starlette.types import ASGIApp

from rebirth.castle import Castle
from rebirth.castle import Proxmox as Spec
from rebirth.lab.proxmox import Pace, Pve, Rights, Storage, proxmox_app
from rebirth.lab.proxmox.hypervisor import Hypervisor
from rebirth.lab.proxmox.recording import into, recording
from rebirth.lab.spec import ProxmoxHost

RECORD = "REBIRTH_LAB_EXCHANGES"  # a file: every request to the Proxmox API and its answer are written there, without headers
_VMS = "VM.Allocate VM.Audit VM.Config.CPU VM.Config.Disk VM.Config.HWType VM.Config.Memory VM.Config.Network VM.Config.Options VM.PowerMgmt"


def host(castle: Castle, lab: ProxmoxHost, *, token: str, hypervisor: Hypervisor, ca: Path) -> Pve:
    """A host with the storages and the bridge that the castle names."""
    spec = castle.proxmox
    return Pve(
        spec.node,
        token,
        hypervisor,
        _storages(spec, lab),
        str(ca),
        frozenset({spec.bridge}),
        Rights(_given(lab.token_rights) if lab.token_rights is not None else least_rights(spec)),
        Pace(lab.task_seconds, lab.mib_per_second * (1 << 20) if lab.mib_per_second else math.inf),
    )


def least_rights(spec: Spec) -> dict[str, frozenset[str]]:
    """What SECURITY.md says that the castle's token needs, and nothing else: a rehearsal proves that it is enough."""
    given = {
        "/vms": _VMS,
        f"/nodes/{spec.node}": "Sys.AccessNetwork",
        f"/sdn/zones/localnetwork/{spec.bridge}": "SDN.Use",
        f"/storage/{spec.image_storage}": "Datastore.AllocateTemplate Datastore.Audit",
    }
    disks = f"/storage/{spec.disk_storage}"
    given[disks] = f"{given.get(disks, '')} Datastore.AllocateSpace"
    return _given({path: privileges.split() for path, privileges in given.items()})


def _given(rights: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    return {path: frozenset(privileges) for path, privileges in rights.items()}


def _storages(spec: Spec, lab: ProxmoxHost) -> dict[str, Storage]:
    contents = {spec.image_storage: {"iso", "vztmpl", "import"}}
    contents.setdefault(spec.disk_storage, set()).update({"images", "rootdir"})
    return {
        # Disks of a storage with a size take their whole room: only so can a rehearsal fill it.
        name: Storage(frozenset(content), total=int(size * (1 << 30)), thin=False)
        if (size := lab.storage_gib.get(name))
        else Storage(frozenset(content))
        for name, content in contents.items()
    }


def app(pve: Pve) -> ASGIApp:
    """Its API; what is asked of it is recorded where the environment says so."""
    api = proxmox_app(pve)
    return recording(api, into(Path(file))) if (file := os.environ.get(RECORD)) else api
