"""Section `machines`: the virtual machines and the network they stand in."""

import hashlib
import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rebirth.castle.formula import Group, Size
from rebirth.castle.hardware import Hardware, Interface, Mac
from rebirth.castle.model import Address, DnsLabel, DnsName, Network, Section

_LOCAL = 0x02  # first octet of an address that no manufacturer has (IEEE 802: locally administered)

# What the admission plugin NodeRestriction allows.
_ALLOWED = re.compile(r"(^|\.)(kubelet|node)\.kubernetes\.io$")
_ALLOWED_LABELS = {
    "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
    "node.kubernetes.io/instance-type",
}  # fmt: skip

Role = Literal["controlplane", "worker"]
Platform = Literal["metal", "nocloud"]


class Machine(Size):
    """A machine."""

    name: DnsLabel
    """Its name, and that of its Kubernetes node."""
    role: Role
    """`controlplane` runs etcd and the API server."""
    address: Address
    """Its address on the LAN."""
    mac: Mac | None = None
    """The MAC address of its network card; computed from the names of castle and machine if it is not given."""

    def mac_address(self, castle: str) -> str:
        """The one given, or one that is computed from the names: the same at each create, so that DHCP can reserve by it."""
        if self.mac:
            return self.mac.lower()
        return _computed(f"{castle}/{self.name}")

    def mac_of(self, castle: str, number: int, interface: Interface) -> str:
        """Of a further card."""
        return interface.mac.lower() if interface.mac else _computed(f"{castle}/{self.name}/{number}")


def _computed(names: str) -> str:
    octets = hashlib.sha256(names.encode()).digest()[:5]
    return ":".join(f"{octet:02x}" for octet in (_LOCAL, *octets))


def _restricted(machine: Machine, own: Hardware) -> str:
    """A worker's kubelet labels its own node, and Kubernetes lets it choose from few of Kubernetes' own labels."""
    for key in own.labels if machine.role == "worker" else ():
        domain = key.rpartition("/")[0]
        if domain.endswith(("kubernetes.io", "k8s.io")) and not (_ALLOWED.search(domain) or key in _ALLOWED_LABELS):
            return f"labels: Kubernetes does not let a worker give itself the label {key} (NodeRestriction)"
    return ""


class Machines(Section):
    """The machines and the network they stand in."""

    addressing: Literal["cloud-init", "reserved-dhcp", "existing"] = "cloud-init"
    """How a machine without a configuration gets its address: from a drive that Proxmox makes, or from the LAN's DHCP server, which knows its MAC."""
    network: Network
    """The network of the LAN."""
    gateway: Address
    """The default gateway."""
    nameservers: Annotated[list[Address], Field(min_length=1)]
    """The nameservers that the machines ask."""
    ntp: list[Address | DnsName] = []
    """Time servers that the machines ask."""
    schedulable_control_planes: bool | None = None
    """Whether pods without a toleration run on control planes; where nothing is said, only if there are no workers."""
    shared_address: Address | None = None
    """An address that one control plane at a time answers at."""
    defaults: Hardware = Hardware()
    """The hardware of every machine that does not say otherwise."""
    nodes: Annotated[list[Machine], Field(min_length=1)] = []
    """The machines, each by itself."""
    planes: Annotated[Group | None, Field(alias="control_planes")] = None
    """Control planes by formula: a count, and the first address."""
    others: Annotated[Group | None, Field(alias="workers")] = None
    """Workers by formula: a count, and the first address."""

    @model_validator(mode="after")
    def _expanded(self) -> Self:
        """From here on `nodes` are all machines, wherever castle.yaml says them."""
        found = list(self.nodes)
        for key, group, role, pattern in (
            ("control_planes", self.planes, "controlplane", "control-plane-{n}"),
            ("workers", self.others, "worker", "worker-{n}"),
        ):
            if group is None:
                continue
            last = int(group.first_address) + group.count - 1
            if last > int(self.network.broadcast_address):
                raise ValueError(
                    f"at {key}.count: so many addresses from {group.first_address} on are not in {self.network}"
                )
            found += [Machine.model_validate(fields) for fields in group.members(role, pattern)]
        if not found:
            raise ValueError("has no machines: name them in nodes, or count them in control_planes and workers")
        return self.model_copy(update={"nodes": found, "planes": None, "others": None})

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._addresses_in_network()
        self._each_has_its_own("name", [node.name for node in self.nodes])
        self._each_has_its_own("address", [str(node.address) for node in self.nodes])
        for index, node in enumerate(self.nodes):
            if complaint := self.hardware(node).complaint() or _restricted(node, self.hardware(node)):
                raise ValueError(f"at nodes[{index}].{complaint}")
        self._each_has_its_own("mac", [node.mac.lower() if node.mac else node.name for node in self.nodes])
        control_planes = len(self.control_planes)
        if not control_planes:
            raise ValueError("no machine has the role controlplane")
        if control_planes % 2 == 0:
            raise ValueError(f"{control_planes} control planes: etcd needs an odd number to keep a majority")
        return self

    def _each_has_its_own(self, what: str, values: list[str]) -> None:
        for index, value in enumerate(values):
            if value in values[:index]:
                both = f": {self.nodes[values.index(value)].name} and {self.nodes[index].name}" * (what != "name")
                raise ValueError(f"at nodes[{index}].{what}: two machines have the {what} {value}{both}")

    def _addresses_in_network(self) -> None:
        if self.gateway not in self.network:
            raise ValueError(f"at gateway: {self.gateway} is outside the network {self.network}")
        if (shared := self.shared_address) is not None:
            if shared not in self.network:
                raise ValueError(f"at shared_address: {shared} is outside the network {self.network}")
            if whose := {self.gateway: "the gateway", **{node.address: node.name for node in self.nodes}}.get(shared):
                raise ValueError(f"at shared_address: {shared} is the address of {whose}")
        for index, node in enumerate(self.nodes):
            if node.address not in self.network:
                raise ValueError(f"at nodes[{index}].address: {node.address} is outside the network {self.network}")
            if node.address == self.gateway:
                raise ValueError(f"at nodes[{index}].address: {node.address} is the gateway's")

    def hardware(self, machine: Machine) -> Hardware:
        """What a machine is made of: its own, and of the rest what all have."""
        own = machine.model_fields_set & Hardware.model_fields.keys()
        return self.defaults.model_copy(update={name: getattr(machine, name) for name in own})

    def cards(self, castle: str) -> dict[str, tuple[str, str]]:
        """Machine -> the MAC address of its network card, and its address."""
        return {node.name: (node.mac_address(castle), str(node.address)) for node in self.nodes}

    def reservations(self, castle: str) -> dict[str, tuple[str, str]]:
        """Of `cards`, those that the LAN's DHCP server has to know."""
        return self.cards(castle) if self.addressing == "reserved-dhcp" else {}

    @property
    def platform(self) -> Platform:
        """The Talos that boots: only `nocloud` reads a cloud-init drive."""
        return "nocloud" if self.addressing == "cloud-init" else "metal"

    @property
    def pods_on_control_planes(self) -> bool:
        said = self.schedulable_control_planes
        return not self.workers if said is None else said

    @property
    def control_planes(self) -> list[Machine]:
        return [node for node in self.nodes if node.role == "controlplane"]

    @property
    def workers(self) -> list[Machine]:
        return [node for node in self.nodes if node.role == "worker"]
