"""What the router of the LAN gives to a network card, by its MAC address: a reserved address, or one of the pool."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Self

from rebirth.addresses import IPAddress
from rebirth.castle import Castle
from rebirth.lab import network
from rebirth.lab.talos.hardware import Lease


@dataclass
class Dhcp:
    """`reservations`: MAC address, lower case -> address. Others get the highest free addresses of the network."""

    network: IPv4Network
    gateway: IPv4Address
    nameservers: tuple[str, ...]
    reservations: Mapping[str, str]
    taken: frozenset[str] = frozenset()  # addresses that stand somewhere else
    _given: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, castle: Castle, other: Mapping[str, IPAddress], taken: frozenset[str]) -> Self:
        """The router of a castle's LAN: it keeps the castle's addresses, or `other` ones of some machines."""
        machines, cards = castle.machines, castle.machines.reservations(castle.name)
        kept = {mac: str(other.get(name, address)) for name, (mac, address) in cards.items()}
        return cls(*network.lan(machines), tuple(map(str, machines.nameservers)), kept, taken)

    def lease(self, mac: str) -> Lease:
        """Always the same for one card. Raises LookupError where no address is left."""
        card = mac.lower()
        address = self.reservations.get(card) or self._given.get(card)
        if address is None:
            address = self._given[card] = next(self._free(), "")
        if not address:
            raise LookupError(f"no address is left in {self.network} for {mac}")
        return Lease(f"{address}/{self.network.prefixlen}", str(self.gateway), self.nameservers)

    def _free(self) -> Iterator[str]:
        used = {*self.reservations.values(), *self._given.values(), *self.taken, str(self.gateway), *self.nameservers}
        for number in range(int(self.network.broadcast_address) - 1, int(self.network.network_address), -1):
            if (address := str(IPv4Address(number))) not in used:
                yield address
