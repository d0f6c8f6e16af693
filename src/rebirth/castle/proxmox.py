"""Section `proxmox`: the virtualisation host, or a cluster of them, and which machine stands where."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from rebirth.castle.hardware import VmTag
from rebirth.castle.machines import Machines
from rebirth.castle.model import HttpsUrl, Section, Text
from rebirth.castle.reference import SecretRef

VmId = Annotated[int, Field(ge=100, le=999_999_999)]


class VmIds(Section):
    """A range of VM ids."""

    first: VmId
    """The first id."""
    last: VmId
    """The last id."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("`last` is smaller than `first`")
        return self

    def __contains__(self, vm_id: int) -> bool:
        return self.first <= vm_id <= self.last


class Proxmox(Section):
    """The virtualisation host."""

    endpoint: HttpsUrl
    """The URL of the Proxmox API, such as `https://pve.example:8006`."""
    node: Text | None = None
    """The Proxmox node on which the machines run."""
    nodes: list[Text] = []
    """The Proxmox nodes of a cluster: machines that name none are spread over these."""
    token: SecretRef
    """The API token, `USER@REALM!TOKENID=UUID`."""
    ca: SecretRef | None = None
    """The certificate authority (PEM) of the endpoint, if that is not a public one."""
    image_storage: Text
    """The storage for the boot image of Talos (content type iso)."""
    disk_storage: Text
    """The storage for the disks of the machines."""
    bridge: Text
    """The network bridge of the machines."""
    vm_ids: VmIds
    """The range of VM ids that the machines may take."""
    tag: VmTag
    """Marks this castle's virtual machines; others are never touched."""

    @model_validator(mode="after")
    def _one_list_of_nodes(self) -> Self:
        if (self.node is None) == (not self.nodes):
            raise ValueError("at node: say `node`, or `nodes` of a cluster")
        return self

    @property
    def all_nodes(self) -> list[str]:
        return [self.node] if self.node is not None else self.nodes


@dataclass(frozen=True)
class Placed:
    node: str
    image_storage: str
    disk_storage: str
    bridge: str


def placement(machines: Machines, spec: Proxmox) -> dict[str, Placed]:
    """Machine -> where it is made. Those without a node go where the fewest of their role are, then the fewest at all."""
    nodes = {machine.name: machines.hardware(machine).node for machine in machines.nodes}
    roles = Counter((nodes[machine.name], machine.role) for machine in machines.nodes)
    load = Counter(nodes.values())
    found: dict[str, Placed] = {}
    for machine in machines.nodes:
        chosen, own = nodes[machine.name], machines.hardware(machine)
        if chosen is None:
            chosen = min(spec.all_nodes, key=lambda node: (roles[node, machine.role], load[node]))
            roles[chosen, machine.role] += 1
            load[chosen] += 1
        storages = own.image_storage or spec.image_storage, own.disk_storage or spec.disk_storage
        found[machine.name] = Placed(chosen, *storages, own.bridge or spec.bridge)
    return found
