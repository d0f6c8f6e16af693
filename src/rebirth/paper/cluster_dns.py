"""Whether a name would resolve in a pod: by what the API server holds of cluster DNS now, and nothing else.

Real pods ask the address that their kubelet was told; there CoreDNS answers, or asks whom its Corefile names for the zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from rebirth.paper.api.client import Object
from rebirth.paper.api.kinds import CONFIG_MAP, SERVICE, SLICE
from rebirth.paper.api.seen import Seen
from rebirth.paper.serving.endpoints import ready, service_at
from rebirth.proof.sources.outside.corefile.asked import forward_of, server_of
from rebirth.proof.sources.outside.corefile.plugins import read
from rebirth.proof.sources.outside.corefile.syntax import CorefileError
from rebirth.proof.sources.outside.corefile.words import Forward, address_of, normal

_PORT = 53
_COREFILE = ("kube-system", "coredns")  # the ConfigMap


@dataclass(frozen=True)
class Kubelets:
    """What the kubelets of a castle were told."""

    addresses: Sequence[str]  # whom pods ask
    services: Sequence[IPv4Network | IPv6Network]  # where the addresses of Services lie


@dataclass(frozen=True)
class ClusterDns:
    seen: Seen
    told: Kubelets

    def unresolved(self, host: str) -> str:
        """Why a pod does not come by an address of that name, in a resolver's words; "" where nothing is in the way."""
        server = f"lookup {host} on {self.told.addresses[0]}:{_PORT}"
        if not any(map(self._answers, self.told.addresses)):
            return f"{server}: i/o timeout"
        asked = self._forward(host)
        if asked is None or not asked.to:
            return ""
        return "" if any(map(self._reached, asked.to)) else f"{server}: server misbehaving"

    def _service(self, address: str) -> tuple[Object, Object] | None:
        return service_at(self.seen.of(SERVICE).values(), address, _PORT)

    def _answers(self, address: str) -> bool:
        found = self._service(address)
        return found is not None and ready(*found, self.seen.of(SLICE).values())

    def _reached(self, target: str) -> bool:
        """Whether somebody may listen there: an address of a Service has to be one's."""
        address = address_of(target)
        if address is None or not any(ip_address(address) in network for network in self.told.services):
            return True
        return self._service(address) is not None

    def _forward(self, host: str) -> Forward | None:
        """Whom CoreDNS asks: of the nearest zone. A Corefile that it does not take changes nothing of one that runs."""
        held = self.seen.get(CONFIG_MAP, *_COREFILE)
        try:
            servers = read((held or {}).get("data", {}).get("Corefile") or "")
        except CorefileError:
            return None
        name = normal(host)
        return forward_of(server_of(servers, name), name)
