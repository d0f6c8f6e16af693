"""Stand-in for the Proxmox VE API: tokens and their rights, storages, images, virtual machines, tasks.

Paths, parameters, answers and rights are those of Proxmox VE 9.2: the tests hold them against the published description of its API. Two
differences are known: real Proxmox answers a wrong token without a body and after three seconds, and keeps what it was told (here it is gone
with the lab).
"""

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from rebirth.lab.proxmox import changes, files, machines, nodes, options, pools, power, storages, tasks
from rebirth.lab.proxmox.host import Pace, Pve, Storage, Volume
from rebirth.lab.proxmox.kinds import TEXT, Kind, one_of, whole
from rebirth.lab.proxmox.method import Method, not_implemented
from rebirth.lab.proxmox.rights import Rights, any_of, perm

__all__ = ["METHODS", "Pace", "Pve", "Rights", "Storage", "Volume", "proxmox_app"]

_NODE, _VM, _TASK = "/nodes/{node}", "/nodes/{node}/qemu/{vmid}", "/nodes/{node}/tasks/{upid}"
_STORAGE = "/nodes/{node}/storage/{storage}"
_SEE_MACHINE = perm("/vms/{vmid}", "VM.Audit")
_SEE_HOST = perm("/nodes/{node}", "Sys.Audit")
_CHANGE = any_of(
    "/vms/{vmid}",
    "VM.Config.Disk",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.HWType",
    "VM.Config.Options",
    "VM.Config.Cloudinit",
)
_ASK_AGENT = any_of("/vms/{vmid}", "VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted")
_WHOM = r"(?:^(?:[^\s:/]+)\@(?:[A-Za-z][A-Za-z0-9\.\-_]+)(?:!(?:[A-Za-z][A-Za-z0-9\.\-_]+))?$)"
_NETWORKS = "bridge bond eth alias vlan fabric OVSBridge OVSBond OVSPort OVSIntPort vnet any_bridge any_local_bridge include_sdn"

METHODS = [
    Method("GET", "/version", nodes.version),
    Method("GET", "/access/permissions", nodes.permissions, {"path": TEXT, "userid": Kind(pattern=_WHOM)}),
    Method("GET", "/cluster/nextid", nodes.next_id, {"vmid": whole(100, 999_999_999)}),
    Method("GET", "/cluster/resources", nodes.resources, {"type": one_of("vm storage node sdn")}),
    Method("GET", "/nodes", nodes.nodes),
    Method("GET", f"{_NODE}/status", nodes.node_status, allowed=_SEE_HOST),
    Method("GET", f"{_NODE}/network", nodes.networks, {"type": one_of(_NETWORKS)}),
    Method("GET", f"{_NODE}/tasks", tasks.tasks, tasks.LISTED),
    Method("GET", f"{_TASK}/status", tasks.status),
    Method("GET", f"{_TASK}/log", tasks.log, tasks.READ),
    Method("DELETE", _TASK, tasks.end),
    Method("GET", f"{_NODE}/qemu", machines.machines, machines.LISTED),
    Method("POST", f"{_NODE}/qemu", machines.create, options.CREATE),
    Method("DELETE", _VM, machines.remove, machines.REMOVE, perm("/vms/{vmid}", "VM.Allocate")),
    Method("GET", f"{_VM}/config", changes.configuration, changes.SHOW, _SEE_MACHINE),
    Method("PUT", f"{_VM}/config", changes.configure, options.CHANGE, _CHANGE),
    Method("POST", f"{_VM}/config", changes.configure_later, options.CHANGE_LATER, _CHANGE),
    Method("PUT", f"{_VM}/resize", changes.resize, changes.RESIZE, perm("/vms/{vmid}", "VM.Config.Disk")),
    Method("GET", f"{_VM}/status/current", machines.current, allowed=_SEE_MACHINE),
    *power.methods(_VM),
    Method("GET", f"{_VM}/agent/network-get-interfaces", power.interfaces, allowed=_ASK_AGENT),
    Method("GET", "/pools", pools.pools, pools.LISTED),
    Method("GET", "/storage", storages.definitions, storages.DEFINED),
    Method("GET", f"{_NODE}/storage", storages.storages, storages.LISTED),
    Method("GET", f"{_STORAGE}/status", storages.status, allowed=storages.SEEN),
    Method("GET", f"{_STORAGE}/content", storages.content, storages.HELD, storages.SEEN),
    Method("GET", f"{_STORAGE}/content/{{volume}}", storages.volume),
    Method("DELETE", f"{_STORAGE}/content/{{volume}}", storages.delete, {"delay": whole(1, 30)}),
    Method("POST", f"{_STORAGE}/upload", files.upload, files.UPLOAD, files.MAY_UPLOAD),
    Method("POST", f"{_STORAGE}/download-url", files.download, files.DOWNLOAD, files.MAY_DOWNLOAD),
    Method("GET", f"{_NODE}/query-url-metadata", files.look_at, files.LOOKED_AT, files.MAY_REACH_OUT),
]


def proxmox_app(pve: Pve) -> ASGIApp:
    """The API of one host."""
    answers = {404: not_implemented, 405: not_implemented}
    api = Starlette(routes=[method.route(pve) for method in METHODS], exception_handlers=answers)

    async def tolerant(scope: Scope, receive: Receive, send: Send) -> None:
        """To Proxmox a path with a slash at its end is the same path."""
        await api({**scope, "path": scope["path"].rstrip("/")} if "path" in scope else scope, receive, send)

    return tolerant
