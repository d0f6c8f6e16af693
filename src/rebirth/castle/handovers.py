"""Section `handovers`: secrets born inside the cluster that must reach Vault."""

from typing import Literal

from pydantic import Field

from rebirth.castle.model import DnsLabel, DnsName, Section, Text


class BornIn(Section):
    namespace: DnsLabel
    secret: DnsName
    key: Text


class VaultPlace(Section):
    path: Text
    property: Text


class ObjectName(Section):
    namespace: DnsLabel
    name: DnsName


class Workload(ObjectName):
    kind: Literal["Deployment", "StatefulSet", "DaemonSet"]


class Handover(Section):
    name: DnsLabel
    born_in: BornIn = Field(alias="from")
    to: VaultPlace
    external_secret: ObjectName | None = None
    ready: Workload | None = None
