"""Section `networking`: who connects pods, where Talos' flannel does not, and who gives Services their addresses.

What is not here is nobody's but Flux's: kube-vip, Cilium or MetalLB of the repository's own.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from rebirth.castle.foundation import Chart
from rebirth.castle.model import AddressRange, DnsLabel, HttpsUrl, Section, Text


class Pool(Section):
    """Addresses of the LAN that Services of type LoadBalancer get."""

    name: DnsLabel
    """The name of the pool in the cluster."""
    addresses: Annotated[list[AddressRange], Field(min_length=1)]
    """Ranges on the LAN that belong to nobody else, and are outside of DHCP."""


class CiliumPool(Pool):
    """Addresses that Cilium gives to Services and announces on the LAN."""

    interfaces: list[Text] = []
    """Regular expressions of the network cards that answer for them; all where none is given."""


class MetalLb(Chart):
    """MetalLB's release."""


class Cilium(Chart):
    """Cilium's release, as the network of pods (kubernetes.cni: cilium)."""

    repository: HttpsUrl = "https://helm.cilium.io"
    """The Helm repository that serves it."""
    namespace: DnsLabel = "kube-system"
    """The namespace of the release."""
    pool: CiliumPool | None = None
    """The addresses that Cilium gives to Services, and announces on the LAN itself."""


class Networking(Section):
    """What makes the network of pods, and who gives addresses to Services."""

    cilium: Cilium | None = None
    """The release of Cilium, where it makes the pod network (kubernetes.cni: cilium)."""
    metallb: MetalLb | None = None
    """The release of MetalLB."""
    pool: Pool | None = None
    """The addresses that MetalLB gives to Services."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.cilium and not self.metallb:
            raise ValueError("needs metallb or cilium; leave the section out where Flux brings them, or nobody does")
        if self.metallb and not self.pool:
            raise ValueError("at metallb: needs a `pool` with addresses beside it")
        if self.pool and not self.metallb:
            raise ValueError("at pool: is MetalLB's; Cilium's is networking.cilium.pool")
        if self.metallb and self.cilium and self.cilium.pool:
            raise ValueError("at cilium.pool: MetalLB gives addresses, too: choose one of them")
        return self
