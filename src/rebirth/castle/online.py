"""Section `online`: what the operator means by online."""

from typing import Annotated

from pydantic import Field, StringConstraints

from rebirth.castle.model import DnsLabel, DnsName, Section, in_our_words
from rebirth.secrets import SecretRef


class Ingress(Section):
    """The Service through which the sites are reached."""

    namespace: DnsLabel
    """The namespace of the Service."""
    service: DnsLabel
    """The name of the Service of type LoadBalancer."""


class Site(Section):
    """A site and the answer that is expected of it."""

    host: DnsName
    """The host name of the site."""
    path: Annotated[
        str, StringConstraints(pattern=r"^/"), in_our_words("must be a path that begins with /, such as /blog/")
    ] = "/"
    """The path that is asked for."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The HTTP status that is expected."""
    contains: Annotated[str, Field(min_length=1)] = ""
    """Text that the page must hold; empty: any page is fine."""
    ca: SecretRef | None = None
    """The certificate authority (PEM) of the site, if that is not a public one."""


class Online(Section):
    """What the operator means by online."""

    ingress: Ingress
    """The Service through which the sites are reached."""
    sites: Annotated[list[Site], Field(min_length=1)]
    """The sites that must answer."""
