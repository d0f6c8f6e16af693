"""Section `kubernetes`: what the API server and the cluster networks are to look like."""

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Self

from pydantic import Field, model_validator

from rebirth.castle.model import Address, DnsName, HttpsUrl, Network, Section, Text, Version


class ServiceAccount(Section):
    issuers: Annotated[list[HttpsUrl], Field(min_length=1)]
    audiences: list[Text] = []
    jwks_uri: HttpsUrl | None = None


class Kubernetes(Section):
    version: Version
    endpoint: HttpsUrl
    cert_sans: list[DnsName | Address] = []
    service_account: ServiceAccount | None = None
    pod_network: Network = IPv4Network("10.244.0.0/16")
    service_network: Network = IPv4Network("10.96.0.0/12")
    cluster_dns: Address = IPv4Address("10.96.0.10")
    cluster_domain: DnsName = "cluster.local"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.pod_network.overlaps(self.service_network):
            raise ValueError(f"at pod_network: {self.pod_network} overlaps service_network {self.service_network}")
        if self.cluster_dns not in self.service_network:
            raise ValueError(f"at cluster_dns: {self.cluster_dns} is outside service_network {self.service_network}")
        return self
