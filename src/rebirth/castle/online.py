"""Section `online`: what the operator means by online.

One way in or one thing that has to be ready, and the sites that have to answer. Without the section a castle is online when
its Flux graph is Ready, and without Flux when its nodes are.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from rebirth.castle.model import Address, DnsLabel, DnsName, Section, in_our_words
from rebirth.castle.reference import SecretRef


class Ingress(Section):
    """The Service of an ingress controller: Ingresses or its own routes lead on to the sites."""

    namespace: DnsLabel
    """The namespace of the Service."""
    service: DnsLabel
    """The name of the Service of type LoadBalancer."""


class Named(Section):
    """An object in the cluster."""

    namespace: DnsLabel
    """Its namespace."""
    name: DnsName
    """Its name."""


class Workload(Named):
    """A workload in the cluster."""

    kind: Literal["Deployment", "DaemonSet", "StatefulSet"] = "Deployment"
    """Its kind."""


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
    address: Address | None = None
    """Where it is visited; where nothing is said, at the address of the way in, or through a tunnel where DNS says."""


class Sites(Section):
    """The sites as a section of its own, for the phase that visits them."""

    sites: list[Site]


class Entrance(Section):
    """What is given the address that sites are visited at."""

    kind: Literal["Service", "Gateway"]
    namespace: DnsLabel
    name: DnsName


class Awaited(Section):
    """What has to be ready, where nothing has an address."""

    kind: Literal["Deployment", "DaemonSet", "StatefulSet", "Kustomization"]
    namespace: DnsLabel
    name: DnsName


_CHOICE = ("ingress", "gateway", "service", "tunnel", "workload", "kustomization")


class Online(Section):
    """What the operator means by online: one of these is there, and the sites answer. Without the section: the Flux graph is Ready."""

    ingress: Ingress | None = None
    """The Service of an ingress controller has an address, at which the sites are visited."""
    gateway: Named | None = None
    """A Gateway of the Gateway API has an address, at which the sites are visited."""
    service: Named | None = None
    """A Service of type LoadBalancer has an address, at which the sites are visited."""
    tunnel: Workload | None = None
    """A workload that goes out by itself is ready; the sites are visited where DNS says."""
    workload: Workload | None = None
    """A workload is ready."""
    kustomization: Named | None = None
    """A Kustomization of Flux is Ready."""
    sites: Annotated[list[Site], Field(min_length=1)] = []
    """The sites that must answer."""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        chosen = [name for name in _CHOICE if getattr(self, name)]
        if not chosen:
            raise ValueError(f"needs one of {', '.join(_CHOICE)}")
        if len(chosen) > 1:
            raise ValueError(f"at {chosen[1]}: {' and '.join(chosen)} exclude each other: choose one")
        if chosen[0] in {"workload", "kustomization"}:
            for index, site in enumerate(self.sites):
                if site.address is None:
                    raise ValueError(f"at sites[{index}]: needs an `address`: {chosen[0]} has none to visit it at")
        return self

    @property
    def entrance(self) -> Entrance | None:
        if self.ingress:
            return Entrance(kind="Service", namespace=self.ingress.namespace, name=self.ingress.service)
        if self.gateway:
            return Entrance(kind="Gateway", namespace=self.gateway.namespace, name=self.gateway.name)
        if self.service:
            return Entrance(kind="Service", namespace=self.service.namespace, name=self.service.name)
        return None

    @property
    def awaited(self) -> Awaited | None:
        if workload := self.tunnel or self.workload:
            return Awaited(kind=workload.kind, namespace=workload.namespace, name=workload.name)
        if self.kustomization:
            return Awaited(kind="Kustomization", namespace=self.kustomization.namespace, name=self.kustomization.name)
        return None

    @property
    def choice(self) -> str:
        """The key that says what online means: ingress, gateway, ..."""
        return next(name for name in _CHOICE if getattr(self, name))
