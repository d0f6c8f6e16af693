"""Addresses inside the cluster, as machine configurations say them: the Services' networks, and what kubelets give to pods as DNS."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from rebirth.proof.reading.manifest import Model
from rebirth.proof.reading.talos import Merged, Written
from rebirth.proof.things import Place

_DNS = 10  # which address of the Services' network is the cluster's DNS, where nobody says another


def cluster_dns(model: Model) -> list[tuple[str, Place]]:
    """The addresses that kubelets give to pods, and where that is said."""
    found: dict[str, Place] = {}
    for machine in model.machines:
        merged = Merged(machine.patches)
        asked = [*merged.items("machine", "kubelet", "extraConfig", "clusterDNS")] or [
            *merged.items("machine", "kubelet", "clusterDNS")
        ]
        for item in asked:
            found.setdefault(str(item.value), item.place)
    return list(found.items()) or [(str(network[_DNS]), place) for network, place in service_networks(model)[:1]]


def service_networks(model: Model) -> list[tuple[IPv4Network, Place]]:
    """The networks of Services' addresses; none where no configuration names any."""
    for machine in model.machines:
        # A later list takes the place of an earlier one.
        said = Merged(machine.patches).last("cluster", "network", "serviceSubnets")
        if said and (found := list(_networks(said))):
            return found
    return []


def is_hidden(model: Model) -> bool:
    """Whether an address of cluster DNS is said, in a way that no file tells: by a variable of a template."""
    if cluster_dns(model):
        return False
    return any(Merged(machine.patches).last("cluster", "network", "serviceSubnets") for machine in model.machines)


def _networks(said: Written) -> Iterator[tuple[IPv4Network, Place]]:
    for text in said.value if isinstance(said.value, list) else ():
        try:
            yield IPv4Network(str(text), strict=False), said.place
        except ValueError:
            continue  # of IPv6, or not known
