"""What phases have made true. A fact is proof that its phase is done; it carries what later phases need to know.

A fact is written to the journal, unless it stands in memory only (`InMemory`): then it holds secrets, or speaks of a
moment, and is made again when a phase that has to run asks for it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import TypeAdapter

from rebirth.castle.reference import SecretRef
from rebirth.secrets import Secret


@dataclass(frozen=True)
class Fact:
    in_memory: ClassVar[bool] = False

    def written(self) -> Any:
        """As JSON has it."""
        return _adapter(type(self)).dump_python(self, mode="json")

    @classmethod
    def read(cls, written: Any) -> Self:
        """What `written` says. ValidationError where it is of a version whose fact looked different."""
        found: Self = _adapter(cls).validate_python(written)
        return found


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)  # to make one takes a millisecond


@dataclass(frozen=True)
class InMemory(Fact):
    in_memory: ClassVar[bool] = True


@dataclass(frozen=True)
class Made:
    """Something that a phase of this castle has made outside of the cluster, as a phase's `undo` finds it there."""

    kind: str  # machine, device, key, file, image, value
    name: str  # as a person knows it
    identity: str  # as its system knows it: a VM's id, a path; "" where the name is all
    remove: Callable[[], Awaitable[None]] | None = field(default=None, repr=False, compare=False)  # None: it stays
    stays: str = ""  # why it stays

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}" + (f" ({self.identity})" if self.identity else "")


@dataclass(frozen=True)
class SecretsResolved(InMemory):
    values: dict[str, Secret] = field(repr=False)

    def __getitem__(self, reference: SecretRef) -> Secret:
        return self.values[reference.secret]


@dataclass(frozen=True)
class RepositoryRead(InMemory):
    commit: str
    flux_manifests: tuple[dict[str, object], ...] | None = field(repr=False)  # None: the repository keeps none


@dataclass(frozen=True)
class ArchiveRead(InMemory):
    """A generation of what a castle keeps, all of it, whole and decrypted."""

    generation: str
    contents: Mapping[tuple[str, str], bytes] = field(repr=False)  # by kind and name


@dataclass(frozen=True)
class CredentialsRestored(Fact):
    names: tuple[str, ...]


@dataclass(frozen=True)
class VaultRestored(Fact):
    mount: str


@dataclass(frozen=True)
class DatabasesRestored(Fact):
    names: tuple[str, ...]


@dataclass(frozen=True)
class OutsideReached(InMemory):
    """Every system outside answers and takes our credentials: from here on something may be created."""

    proxmox: str  # version; "" for a castle without


@dataclass(frozen=True)
class LossesSettled(InMemory):
    """What lost machines have left behind is in nobody's way."""

    machines: tuple[str, ...]  # that were lost


@dataclass(frozen=True)
class NamesFreed(InMemory):
    names: tuple[str, ...]


@dataclass(frozen=True)
class NodeKeyMinted(InMemory):
    key: Secret
    key_id: str


@dataclass(frozen=True)
class ImageUploaded(Fact):
    volumes: dict[str, str]  # machine name -> such as local:iso/talos-v1.12.0-708747e350d6.iso, on its node


@dataclass(frozen=True)
class MachinesCreated(Fact):
    vm_ids: dict[str, int]  # machine name -> VM id


@dataclass(frozen=True)
class MachinesBooted(Fact):
    vm_ids: dict[str, int]  # none where somebody else made the machines


@dataclass(frozen=True)
class MachinesConfigured(Fact):
    names: tuple[str, ...]


@dataclass(frozen=True)
class KubernetesBootstrapped(Fact):
    """etcd was bootstrapped, the API answers, the kubeconfig lies in the produced folder."""

    endpoint: str


@dataclass(frozen=True)
class NodesReady(Fact):
    names: tuple[str, ...]


@dataclass(frozen=True)
class SurplusRemoved(Fact):
    """There is no machine of this castle that castle.yaml does not name."""


@dataclass(frozen=True)
class NamespacesCreated(Fact):
    names: tuple[str, ...]


@dataclass(frozen=True)
class SecretsPlaced(Fact):
    names: tuple[str, ...]  # namespace/name


@dataclass(frozen=True)
class CoreDnsInstalled(Fact):
    address: str


@dataclass(frozen=True)
class ExternalSecretsInstalled(Fact):
    version: str  # of the chart; "" where Flux installs it


@dataclass(frozen=True)
class VaultStoreApplied(Fact):
    name: str


@dataclass(frozen=True)
class VaultStoreOpened(Fact):
    name: str


@dataclass(frozen=True)
class MetalLbInstalled(Fact):
    version: str


@dataclass(frozen=True)
class CiliumInstalled(Fact):
    version: str


@dataclass(frozen=True)
class PoolAnnounced(Fact):
    name: str


@dataclass(frozen=True)
class FluxBootstrapped(Fact):
    root: str  # the root Kustomization, namespace/name


@dataclass(frozen=True)
class StorageInstalled(Fact):
    storage_class: str


@dataclass(frozen=True)
class StorageBrought(Fact):
    storage_class: str


@dataclass(frozen=True)
class Converged(Fact):
    nodes: tuple[str, ...]  # namespace/name of every Kustomization, all Ready


@dataclass(frozen=True)
class HandedOver(Fact):
    names: tuple[str, ...]


@dataclass(frozen=True)
class IngressFound(Fact):
    address: str


@dataclass(frozen=True)
class AwaitedReady(Fact):
    name: str  # kind and namespace/name


@dataclass(frozen=True)
class SitesVisited(Fact):
    headings: dict[str, str]  # site host -> its first heading or title, as fetched
