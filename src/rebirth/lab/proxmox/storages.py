"""Storages, and what is in them."""

from typing import Any

from rebirth.lab.proxmox.errors import PveError
from rebirth.lab.proxmox.host import Pve, Storage, Volume
from rebirth.lab.proxmox.kinds import FLAG, TEXT, Kinds, one_of, whole
from rebirth.lab.proxmox.method import Call
from rebirth.lab.proxmox.rights import any_of

LISTED: Kinds = {"content": TEXT, "enabled": FLAG, "format": FLAG, "storage": TEXT, "target": TEXT}
DEFINED: Kinds = {"type": one_of("btrfs cephfs cifs dir esxi iscsi iscsidirect lvm lvmthin nfs pbs rbd zfs zfspool")}
HELD: Kinds = {"content": TEXT, "vmid": whole(100, 999_999_999)}
SEEN = any_of("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")


async def storages(pve: Pve, call: Call) -> list[dict[str, Any]]:
    """Of the host; where a storage or contents are named only those."""
    wanted = set(filter(None, call.given.get("content", "").split(",")))
    return [
        {"storage": name, **_shown(storage)}
        for name, storage in pve.seen_storages()
        if call.given.get("storage") in {None, name} and (not wanted or wanted & storage.content)
    ]


async def definitions(pve: Pve, call: Call) -> list[dict[str, Any]]:
    """Of the whole cluster: as they are configured."""
    return [
        {"storage": name, "type": storage.kind, "content": ",".join(sorted(storage.content)), "digest": "0" * 40}
        for name, storage in pve.seen_storages()
        if call.given.get("type") in {None, storage.kind}
    ]


async def status(pve: Pve, call: Call) -> dict[str, Any]:
    return _shown(pve.storage(call.given["storage"]))


def _shown(storage: Storage) -> dict[str, Any]:
    room = {"total": storage.total, "used": storage.used, "avail": storage.total - storage.used}
    what = {"type": storage.kind, "content": ",".join(sorted(storage.content))}
    return what | {"active": 1, "enabled": 1, "shared": int(storage.shared)} | room


async def content(pve: Pve, call: Call) -> list[dict[str, Any]]:
    given, storage = call.given, pve.storage(call.given["storage"])
    return [
        {
            "volid": identity,
            "content": volume.content,
            "size": volume.size,
            "format": _format(identity, volume),
            "ctime": int(volume.made),
        }
        | ({"vmid": volume.vmid} if volume.vmid else {})
        for identity, volume in sorted(storage.volumes.items())
        if given.get("content") in {None, volume.content} and given.get("vmid") in {None, str(volume.vmid)}
    ]


def _format(identity: str, volume: Volume) -> str:
    extension = identity.rpartition(".")[2]
    return extension if volume.content in {"iso", "import"} or extension in {"qcow2", "vmdk"} else "raw"


async def volume(pve: Pve, call: Call) -> dict[str, Any]:
    identity = _identity(call)
    name = call.given["storage"]
    if not pve.rights.has(f"/storage/{name}", "Datastore.Allocate"):
        pve.rights.check_any(f"/storage/{name}", "Datastore.AllocateSpace", "Datastore.Audit")
    found = pve.volume(identity)
    size = {"size": found.size, "used": found.size}
    return {"path": f"/var/lib/vz/{identity.partition(':')[2]}", "format": _format(identity, found)} | size


def _identity(call: Call) -> str:
    name, given = call.given["storage"], call.given["volume"]
    if ":" not in given:
        return f"{name}:{given}"
    if not given.startswith(f"{name}:"):
        raise PveError(f"storage ID mismatch ({given.partition(':')[0]} != {name})")
    return given


async def delete(pve: Pve, call: Call) -> str:
    name, identity = call.given["storage"], _identity(call)
    storage = pve.storage(name)
    pve.rights.check(f"/storage/{name}", "Datastore.Allocate")
    owner = storage.volumes[identity].vmid if identity in storage.volumes else None

    async def work(_: object) -> None:
        pve.volume(identity)
        del storage.volumes[identity]

    return pve.task("imgdel", f"{owner}@{name}" if owner else name, work)
