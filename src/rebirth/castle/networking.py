"""Section `networking`: MetalLB and the addresses it gives away."""

from typing import Annotated

from pydantic import Field

from rebirth.castle.foundation import Chart
from rebirth.castle.model import AddressRange, DnsLabel, Section


class Pool(Section):
    """Addresses that a load balancer gives away."""

    name: DnsLabel
    """The name of the IPAddressPool."""
    addresses: Annotated[list[AddressRange], Field(min_length=1)]
    """Ranges on the LAN that belong to nobody else, and are outside of DHCP."""


class Networking(Section):
    """MetalLB and the addresses that it gives away."""

    metallb: Chart
    """The release of MetalLB."""
    pool: Pool
    """The addresses that MetalLB gives to Services."""
