"""Section `online`: what the operator means by online."""

from typing import Annotated

from pydantic import Field, StringConstraints

from rebirth.castle.model import DnsLabel, DnsName, Section
from rebirth.secrets import SecretRef


class Ingress(Section):
    namespace: DnsLabel
    service: DnsLabel


class Site(Section):
    host: DnsName
    path: Annotated[str, StringConstraints(pattern=r"^/")] = "/"
    status: Annotated[int, Field(ge=100, le=599)] = 200
    contains: str = ""
    ca: SecretRef | None = None


class Online(Section):
    ingress: Ingress
    sites: Annotated[list[Site], Field(min_length=1)]
