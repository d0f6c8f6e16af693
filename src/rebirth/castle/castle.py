"""The castle: everything that castle.yaml says."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from rebirth.castle.check import Check
from rebirth.castle.foundation import Foundation
from rebirth.castle.gitops import GitOps
from rebirth.castle.handovers import Handover
from rebirth.castle.kubernetes import Kubernetes
from rebirth.castle.machines import Machines
from rebirth.castle.model import DnsLabel, Section
from rebirth.castle.networking import Networking
from rebirth.castle.online import Online
from rebirth.castle.proxmox import Proxmox
from rebirth.castle.storage import Storage
from rebirth.castle.tailscale import Tailscale
from rebirth.castle.talos import Talos
from rebirth.castle.vault_directory import Secrets
from rebirth.secrets import SecretRef


class Handovers(Section):
    """The list of handovers as a section of its own, so that a phase can take it."""

    handovers: list[Handover] = []


class Identity(Section):
    """The castle's name as a section of its own."""

    name: str


def _no_truth(value: object) -> object:
    """For Python true is 1."""
    if isinstance(value, bool):
        raise ValueError("must be 1")  # noqa: TRY004 - pydantic makes a problem of this one
    return value


class Castle(Section):
    """Everything that castle.yaml says."""

    version: Annotated[Literal[1], BeforeValidator(_no_truth)]
    """The version of this format."""
    name: Annotated[DnsLabel, Field(max_length=40)]
    """The castle's name; machines, tags and logs carry it."""
    secrets: Secrets
    tailscale: Tailscale | None = None
    proxmox: Proxmox
    machines: Machines
    talos: Talos
    kubernetes: Kubernetes
    engine: Foundation = Foundation()
    networking: Networking
    gitops: GitOps
    storage: Storage
    handovers: list[Handover] = []
    online: Online
    check: Check = Check()

    @model_validator(mode="after")
    def _enough_vm_ids(self) -> Self:
        ids = self.proxmox.vm_ids
        if ids.last - ids.first + 1 < len(self.machines.nodes):
            raise ValueError(f"proxmox.vm_ids has fewer ids than there are machines ({len(self.machines.nodes)})")
        return self

    @model_validator(mode="after")
    def _installers(self) -> Self:
        """One that is given has to be one for Secure Boot, where a machine starts nothing else."""
        for machine in self.machines.nodes:
            image = self.talos.installer_of(machine, self.machines)
            if self.machines.hardware(machine).secure_boot and "secureboot" not in image:
                words = f"{machine.name} has secure_boot, and this installer is not for it; leave it out to have the factory's"
                raise ValueError(f"at talos.installer: {words}")
        return self

    @model_validator(mode="after")
    def _machines_outside_of_the_cluster(self) -> Self:
        """Talos leaves such an address out, finds none for the node, and its etcd and kubelet wait for ever (NodeIPController)."""
        networks = {name: getattr(self.kubernetes, name) for name in ("pod_network", "service_network")}
        for name, network in networks.items():
            if inside := [node for node in self.machines.nodes if node.address in network]:
                first = f"the address {inside[0].address} of the machine {inside[0].name}"
                raise ValueError(f"at kubernetes.{name}: {network} holds {first}, and Talos would find no node address")
        return self

    @model_validator(mode="after")
    def _handed_over_to_vault(self) -> Self:
        if self.handovers and not self.engine.vault:
            raise ValueError("at handovers: a handover writes to engine.vault, which is missing")
        return self

    def references(self) -> Iterator[tuple[str, SecretRef]]:
        """Every secret reference with its YAML path, such as ("proxmox.token", ...)."""
        yield from references(self)


def references(value: object, path: str = "") -> Iterator[tuple[str, SecretRef]]:
    """Every secret reference in a section, with its YAML path."""
    if isinstance(value, SecretRef):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from references(getattr(value, name), f"{path}.{field.alias or name}".lstrip("."))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from references(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from references(item, f"{path}[{index}]")
