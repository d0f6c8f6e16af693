"""Section `networking`: MetalLB and the addresses it gives away."""

from typing import Annotated

from pydantic import Field

from rebirth.castle.foundation import Chart
from rebirth.castle.model import AddressRange, DnsLabel, Section


class Pool(Section):
    name: DnsLabel
    addresses: Annotated[list[AddressRange], Field(min_length=1)]


class Networking(Section):
    metallb: Chart
    pool: Pool
