"""Addresses that Services ask for: of their own, or as an operator makes them of a custom resource."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading.machines.networks import service_networks
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.schemas.shape import is_open
from rebirth.proof.things import Place, Thing

_NONE = ("", "None")  # any address; no address
_API = 1  # which address of the Services' network is the API server's


class Asked(NamedTuple):
    """An address that a Service is to have. `member` is what says so, `service` what will have it."""

    address: str
    member: Manifest
    place: Place
    service: Thing

    @property
    def is_made(self) -> bool:
        """By an operator, of `member`."""
        return self.service != self.member.thing()


def asked(model: Model) -> Iterator[Asked]:
    """Every address that a Service does not leave to the API server."""
    for member, _ in model.objects():
        if member.kind == "Service" and not member.group:
            if isinstance(address := member.at("spec", "clusterIP"), str) and address not in _NONE:
                yield Asked(address, member, member.place("spec", "clusterIP"), member.thing())
            continue
        for made in knowledge.made_by(member.group, member.data):
            if made.kind == "Service" and made.address:
                place = member.place(*(_path_of(member.data, made.address) or ("spec",)))
                yield Asked(made.address, member, place, thing("Service", made.namespace, made.name))


def _path_of(value: object, wanted: str) -> tuple[str | int, ...] | None:
    """The path to a value that is that text."""
    items: Iterable[tuple[str | int, object]] = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in items:
        if item == wanted:
            return (key,)
        if (rest := _path_of(item, wanted)) is not None:
            return (key, *rest)
    return None


def read(model: Model, graph: Graph) -> None:
    castle = model.castle
    networks = castle.kubernetes.service_network if castle else [found for found, _ in service_networks(model)]
    had: dict[str, Asked] = {}
    for one in asked(model):
        if is_open(one.address):
            continue
        first = had.setdefault(one.address, one)
        why = _refused(one.address, networks)
        if not why and first.service != one.service:
            why = f"which {first.service.label} asks for, too"
        if why:
            told = f"{one.service.label} asks for the address {one.address}, {why}"
            graph.remark("no-address", one.place, told, one.member.thing(), made="yes" if one.is_made else "")


def _refused(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return "which is none"
    known = [network for network in networks if network.version == found.version]  # none of it: not known
    if known and not any(found in network for network in known):
        return f"which is not in the Services' network {' or '.join(map(str, known))}"
    return "which the API server has" if any(found == network[_API] for network in known) else ""
