"""Section `machines`: the virtual machines and the network they stand in."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rebirth.castle.model import Address, DnsLabel, Network, Section

Role = Literal["controlplane", "worker"]


class Machine(Section):
    name: DnsLabel
    role: Role
    address: Address
    cores: Annotated[int, Field(ge=1, le=512)]
    memory_mib: Annotated[int, Field(ge=1024)]
    disk_gib: Annotated[int, Field(ge=10)]


class Machines(Section):
    network: Network
    gateway: Address
    nameservers: Annotated[list[Address], Field(min_length=1)]
    nodes: Annotated[list[Machine], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._addresses_in_network()
        for what in ("name", "address"):
            taken = Counter(str(getattr(node, what)) for node in self.nodes)
            if doubles := [value for value, count in taken.items() if count > 1]:
                raise ValueError(f"two machines have the {what} {doubles[0]}")
        control_planes = len(self.control_planes)
        if not control_planes:
            raise ValueError("no machine has the role controlplane")
        if control_planes % 2 == 0:
            raise ValueError(f"{control_planes} control planes: etcd needs an odd number to keep a majority")
        return self

    def _addresses_in_network(self) -> None:
        if self.gateway not in self.network:
            raise ValueError(f"at gateway: {self.gateway} is outside the network {self.network}")
        for index, node in enumerate(self.nodes):
            if node.address not in self.network:
                raise ValueError(f"at nodes[{index}].address: {node.address} is outside the network {self.network}")
            if node.address == self.gateway:
                raise ValueError(f"at nodes[{index}].address: {node.address} is the gateway's")

    @property
    def control_planes(self) -> list[Machine]:
        return [node for node in self.nodes if node.role == "controlplane"]

    @property
    def workers(self) -> list[Machine]:
        return [node for node in self.nodes if node.role == "worker"]
