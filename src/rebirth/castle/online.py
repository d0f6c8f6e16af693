"""Section `online`: what the operator means by online."""

from typing import Annotated

from pydantic import Field, StringConstraints

from rebirth.castle.model import DnsLabel, DnsName, Section, in_our_words
from rebirth.secrets import SecretRef


class Ingress(Section):
    namespace: DnsLabel
    service: DnsLabel


class Site(Section):
    host: DnsName
    path: Annotated[
        str, StringConstraints(pattern=r"^/"), in_our_words("must be a path that begins with /, such as /blog/")
    ] = "/"
    status: Annotated[int, Field(ge=100, le=599)] = 200
    contains: Annotated[str, Field(min_length=1)] = ""  # not given: whatever the page holds
    ca: SecretRef | None = None


class Online(Section):
    ingress: Ingress
    sites: Annotated[list[Site], Field(min_length=1)]
