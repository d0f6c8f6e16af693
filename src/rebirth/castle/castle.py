"""The castle: everything that castle.yaml says."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from rebirth.castle.anchors import Anchors
from rebirth.castle.check import Check
from rebirth.castle.existing import Existing
from rebirth.castle.foundation import Foundation
from rebirth.castle.gitops import FLUX, GitOps
from rebirth.castle.handovers import Handover
from rebirth.castle.kubernetes import Kubernetes
from rebirth.castle.machines import Machines
from rebirth.castle.model import DnsLabel, Section
from rebirth.castle.networking import Networking
from rebirth.castle.online import Online, Site
from rebirth.castle.patience import Patiences
from rebirth.castle.proxmox import Proxmox
from rebirth.castle.reference import SecretRef
from rebirth.castle.storage import AnyStorage, Storage
from rebirth.castle.tailscale import Tailscale
from rebirth.castle.talos import Talos
from rebirth.castle.vault_directory import Secrets


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
    proxmox: Proxmox | None = None
    existing: Existing | None = None
    machines: Machines
    talos: Talos
    kubernetes: Kubernetes
    engine: Foundation = Foundation()
    networking: Networking | None = None
    gitops: GitOps
    storage: AnyStorage | None = None
    """Where volumes come from: a chart that the bootstrap installs, or a StorageClass that the repository brings."""
    handovers: list[Handover] = []
    anchors: Anchors | None = None
    online: Online | None = None
    patience: Patiences = {}
    """Phase -> how long it may take, in seconds or such as 40m, before `rebirth create` gives up on it."""
    check: Check = Check()

    @model_validator(mode="after")
    def _one_platform(self) -> Self:
        if self.proxmox and self.existing:
            raise ValueError("at existing: machines are made by section proxmox already: choose one")
        if not self.proxmox and not self.existing:
            raise ValueError("needs `proxmox`, which makes machines, or `existing: {}` where somebody else made them")
        if self.proxmox and self.machines.addressing == "existing":
            raise ValueError("at machines.addressing: is for machines that somebody else made (`existing`)")
        return self if self.proxmox else self._of_others()

    def _of_others(self) -> Self:
        """They have their addresses, disks and cards: what only Proxmox could give them is refused."""
        machines = self.machines
        if "addressing" in machines.model_fields_set and machines.addressing != "existing":
            raise ValueError("at machines.addressing: machines of section `existing` have their addresses already")
        for machine in machines.nodes:
            own = machines.hardware(machine)
            if own.disks:
                raise ValueError(
                    f"at machines: {machine.name}: disks are made by Proxmox; name those that are there in a patch"
                )
            if own.interfaces and not (machine.mac and all(card.mac for card in own.interfaces)):
                raise ValueError(
                    f"at machines: {machine.name}: several cards are told apart by `mac`: give each its own"
                )
        return self.model_copy(update={"machines": machines.model_copy(update={"addressing": "existing"})})

    @model_validator(mode="after")
    def _enough_vm_ids(self) -> Self:
        ids = self.proxmox.vm_ids if self.proxmox else None
        if ids and ids.last - ids.first + 1 < len(self.machines.nodes):
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
    def _disks_for_storage(self) -> Self:
        """The chart has to be told of the disk, or its volumes fill the system's."""
        storage = self.storage
        if not isinstance(storage, Storage):
            return self  # Flux installs it, and only its values say where it keeps volumes
        for machine in self.machines.nodes:
            for disk in self.machines.hardware(machine).disks:
                if disk.purpose == "storage" and storage.data_path != disk.mount:
                    words = f"{storage.chart} keeps its volumes at {storage.data_path}, and the disk for them is at {disk.mount} of {machine.name}"
                    raise ValueError(f"at storage.values: {words}")
        return self

    @model_validator(mode="after")
    def _machines_outside_of_the_cluster(self) -> Self:
        """Talos leaves such an address out, finds none for the node, and its etcd and kubelet wait for ever (NodeIPController)."""
        networks = [("pod_network", one) for one in self.kubernetes.pod_network]
        networks += [("service_network", one) for one in self.kubernetes.service_network]
        for name, network in networks:
            if inside := [node for node in self.machines.nodes if node.address in network]:
                first = f"the address {inside[0].address} of the machine {inside[0].name}"
                raise ValueError(f"at kubernetes.{name}: {network} holds {first}, and Talos would find no node address")
        return self

    @model_validator(mode="after")
    def _handed_over_to_vault(self) -> Self:
        if self.handovers and not self.engine.vault:
            raise ValueError("at handovers: a handover writes to engine.vault, which is missing")
        return self

    @model_validator(mode="after")
    def _kept_of_a_vault(self) -> Self:
        if self.anchors and self.anchors.vault and not self.engine.vault:
            raise ValueError("at anchors.vault: a snapshot is taken of engine.vault, which is missing")
        return self

    @model_validator(mode="after")
    def _pod_network_of_somebody(self) -> Self:
        installed = bool(self.networking and self.networking.cilium)
        if self.kubernetes.cni == "cilium" and not installed:
            raise ValueError(
                "at kubernetes.cni: cilium needs networking.cilium with its version; where Flux or a patch brings it, write none"
            )
        if installed and self.kubernetes.cni != "cilium":
            raise ValueError(f"at networking.cilium: kubernetes.cni is {self.kubernetes.cni}: write cilium there")
        return self

    @model_validator(mode="after")
    def _secrets_have_one_maker(self) -> Self:
        named = {secret.name: at for at, secret in enumerate(self.engine.direct_secrets) if secret.namespace == FLUX}
        ours = self.gitops.secret_names
        if twice := [name for name in ours if name in named or ours.count(name) > 1]:
            at = f"engine.direct_secrets[{named[twice[0]]}].name" if twice[0] in named else "gitops"
            raise ValueError(f"at {at}: {FLUX}/{twice[0]} is made twice: the section gitops makes it, too")
        return self

    @property
    def sites(self) -> list[Site]:
        return self.online.sites if self.online else []

    def substituted(self, kind: str, namespace: str, name: str) -> Mapping[str, object] | None:
        """What a ConfigMap or a Secret holds that the castle places where Flux substitutes from; None where it places none."""
        if namespace != FLUX:
            return None
        if kind == "ConfigMap":
            return self.gitops.config_maps.get(name)
        direct = {one.name: one.data for one in self.engine.direct_secrets if one.namespace == FLUX}
        return {**direct, **self.gitops.substitution.secrets}.get(name)

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
