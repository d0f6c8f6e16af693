"""Section `kubernetes`: what the API server and the cluster networks are to look like."""

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Self

from pydantic import Field, model_validator

from rebirth.castle.model import Address, DnsName, HttpsUrl, Network, Section, Text, Version


class ServiceAccount(Section):
    """How the API server issues tokens of service accounts."""

    issuers: Annotated[list[HttpsUrl], Field(min_length=1)]
    """The first signs tokens of service accounts, the others are still accepted."""
    audiences: list[Text] = []
    """The audiences that the API server accepts."""
    jwks_uri: HttpsUrl | None = None
    """Where the keys for verifying tokens are served."""


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
    pod_network: Network = IPv4Network("10.244.0.0/16")
    """The network of the pods."""
    service_network: Network = IPv4Network("10.96.0.0/12")
    """The network of the Services."""
    cluster_dns: Address = IPv4Address("10.96.0.10")
    """The address of the cluster DNS Service."""
    cluster_domain: DnsName = "cluster.local"
    """The DNS domain of the cluster."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.pod_network.overlaps(self.service_network):
            raise ValueError(f"at pod_network: {self.pod_network} overlaps service_network {self.service_network}")
        if self.cluster_dns not in self.service_network:
            raise ValueError(f"at cluster_dns: {self.cluster_dns} is outside service_network {self.service_network}")
        return self
