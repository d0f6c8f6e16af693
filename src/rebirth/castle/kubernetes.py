"""Section `kubernetes`: what the API server and the cluster networks are to look like."""

from ipaddress import IPv4Network
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from rebirth.castle.model import Address, DnsName, HttpsUrl, Network, Section, Text, Version

_DNS = 10  # the address of a Service network that Kubernetes' tools give to cluster DNS, counted from its first


class ServiceAccount(Section):
    """How the API server issues tokens of service accounts."""

    issuers: Annotated[list[HttpsUrl], Field(min_length=1)]
    """The first signs tokens of service accounts, the others are still accepted."""
    audiences: list[Text] = []
    """The audiences that the API server accepts."""
    jwks_uri: HttpsUrl | None = None
    """Where the keys for verifying tokens are served."""


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


_NETWORK = {"type": "string", "format": "ipvanynetwork", "title": "IP network"}
# One network, or with two families one of each, the family that Services get first.
Networks = Annotated[
    list[Network],
    Field(min_length=1, max_length=2),
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [_NETWORK, {"type": "array", "items": _NETWORK, "minItems": 1, "maxItems": 2}]}),
]


def _dns_of(validated: dict[str, Any]) -> Any:
    """The tenth address of the first Service network. (What is wrong with that network is said of it.)"""
    networks = validated.get("service_network") or [IPv4Network("10.96.0.0/12")]
    return networks[0].network_address + _DNS


def _proxied(validated: dict[str, Any]) -> bool:
    """Cilium replaces kube-proxy, unless it is told not to."""
    return validated.get("cni") != "cilium"


class Kubernetes(Section):
    """What the API server and the networks of the cluster look like."""

    version: Version
    """The version of Kubernetes."""
    endpoint: HttpsUrl
    """The URL under which machines and users reach the API server."""
    cert_sans: list[DnsName | Address] = []
    """More names and addresses for the API server's certificate (port 6443)."""
    service_account: ServiceAccount | None = None
    """How tokens of service accounts are issued."""
    cni: Literal["flannel", "cilium", "none"] = "flannel"
    """Who makes the pod network: Talos (flannel), the castle (networking.cilium), or a patch or Flux (none)."""
    kube_proxy: Annotated[bool, Field(default_factory=_proxied)]
    """Whether kube-proxy runs; where nothing is said, unless Cilium replaces it."""
    pod_network: Networks = [IPv4Network("10.244.0.0/16")]
    """The network of the pods, or one of each family."""
    service_network: Networks = [IPv4Network("10.96.0.0/12")]
    """The network of the Services, or one of each family; Services get addresses of the first."""
    cluster_dns: Annotated[Address, Field(default_factory=_dns_of)]
    """The address of the cluster DNS Service; where nothing is said, the tenth of the first Service network."""
    cluster_domain: DnsName = "cluster.local"
    """The DNS domain of the cluster."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in ("pod_network", "service_network"):
            networks = getattr(self, name)
            if len(networks) > 1 and networks[0].version == networks[1].version:
                raise ValueError(f"at {name}: two networks of one family: with two families it has one of each")
        pods, services = ({one.version for one in networks} for networks in (self.pod_network, self.service_network))
        if not services <= pods:
            raise ValueError("at service_network: has a family that pod_network does not have")
        for pod in self.pod_network:
            if over := next((service for service in self.service_network if pod.overlaps(service)), None):
                raise ValueError(f"at pod_network: {pod} overlaps service_network {over}")
        if not any(self.cluster_dns in service for service in self.service_network):
            said = ", ".join(map(str, self.service_network))
            raise ValueError(f"at cluster_dns: {self.cluster_dns} is outside service_network {said}")
        return self
