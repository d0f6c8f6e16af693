"""Stand-in for the Proxmox VE API: tokens, storages, images, virtual machines, tasks.

Shapes and words follow Proxmox VE 8. Two differences are known: real Proxmox answers a wrong token without a body and after three
seconds, and keeps what it was told (here it is gone with the lab).
"""

from starlette.applications import Starlette

from rebirth.lab.proxmox import machines, nodes, storages
from rebirth.lab.proxmox.answers import not_implemented, route
from rebirth.lab.proxmox.host import Pve, Storage, Volume

__all__ = ["Pve", "Storage", "Volume", "proxmox_app"]


def proxmox_app(pve: Pve) -> Starlette:
    """The API of one host."""
    node, vm, storage = "/nodes/{node}", "/nodes/{node}/qemu/{vmid}", "/nodes/{node}/storage/{storage}"
    return Starlette(
        routes=[
            route(pve, "/version", nodes.version),
            route(pve, "/access/permissions", nodes.permissions),
            route(pve, "/cluster/nextid", nodes.next_id),
            route(pve, "/cluster/resources", nodes.resources),
            route(pve, "/nodes", nodes.nodes),
            route(pve, f"{node}/status", nodes.node_status),
            route(pve, f"{node}/network", nodes.networks),
            route(pve, f"{node}/tasks", nodes.tasks),
            route(pve, f"{node}/tasks/{{upid}}/status", nodes.task_status),
            route(pve, f"{node}/tasks/{{upid}}/log", nodes.task_log),
            route(pve, f"{node}/qemu", machines.machines),
            route(pve, f"{node}/qemu", machines.create, ("POST",)),
            route(pve, vm, machines.remove, ("DELETE",)),
            route(pve, f"{vm}/config", machines.configuration),
            route(pve, f"{vm}/config", machines.configure, ("PUT", "POST")),
            route(pve, f"{vm}/resize", machines.resize, ("PUT",)),
            route(pve, f"{vm}/status/current", machines.current),
            route(pve, f"{vm}/status/{{action}}", machines.act, ("POST",)),
            route(pve, f"{vm}/agent/network-get-interfaces", machines.interfaces),
            route(pve, "/storage", storages.definitions),
            route(pve, f"{node}/storage", storages.storages),
            route(pve, f"{storage}/status", storages.status),
            route(pve, f"{storage}/content", storages.content),
            route(pve, f"{storage}/content/{{volume:path}}", storages.volume),
            route(pve, f"{storage}/content/{{volume:path}}", storages.delete, ("DELETE",)),
            route(pve, f"{storage}/upload", storages.upload, ("POST",)),
            route(pve, f"{storage}/download-url", storages.download, ("POST",)),
        ],
        exception_handlers={404: not_implemented, 405: not_implemented},
    )
