"""Section `machines`: the virtual machines and the network they stand in."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rebirth.castle.model import Address, DnsLabel, Network, Section

_MEMORY = 4 << 20  # MiB: 4 TiB
_DISK = 128 << 10  # GiB: 128 TiB

Role = Literal["controlplane", "worker"]


class Machine(Section):
    name: DnsLabel
    role: Role
    address: Address
    cores: Annotated[int, Field(ge=1, le=512)]
    memory_mib: Annotated[int, Field(ge=1024, le=_MEMORY)]
    disk_gib: Annotated[int, Field(ge=10, le=_DISK)]


class Machines(Section):
    network: Network
    gateway: Address
    nameservers: Annotated[list[Address], Field(min_length=1)]
    nodes: Annotated[list[Machine], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._addresses_in_network()
        self._each_has_its_own("name", [node.name for node in self.nodes])
        self._each_has_its_own("address", [str(node.address) for node in self.nodes])
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
