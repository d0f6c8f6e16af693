"""Section `handovers`: secrets born inside the cluster that must reach Vault."""

from typing import Literal

from pydantic import Field

from rebirth.castle.model import DnsLabel, DnsName, Section, Text


class BornIn(Section):
    """A key of a Secret that is generated inside the cluster."""

    namespace: DnsLabel
    """The namespace of the Secret."""
    secret: DnsName
    """The name of the Secret."""
    key: Text
    """The key in the Secret."""


class VaultPlace(Section):
    """A property of an entry in Vault."""

    path: Text
    """The path below the mount."""
    property: Text
    """The property of the entry."""


class ObjectName(Section):
    """An object in the cluster."""

    namespace: DnsLabel
    """Its namespace."""
    name: DnsName
    """Its name."""


class Workload(ObjectName):
    """A workload in the cluster."""

    kind: Literal["Deployment", "StatefulSet", "DaemonSet"]
    """Its kind."""


class Handover(Section):
    """A secret that is generated inside the cluster and must reach Vault."""

    name: DnsLabel
    """A name for logs and messages."""
    born_in: BornIn = Field(alias="from")
    """Where the secret is generated."""
    to: VaultPlace
    """Where Vault gets it."""
    external_secret: ObjectName | None = None
    """The ExternalSecret that waits for it, and is refreshed."""
    ready: Workload | None = None
    """The workload that is ready once it has the secret."""
