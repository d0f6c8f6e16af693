"""What the operator wants: castle.yaml, one model per section."""

from rebirth.addresses import host_of
from rebirth.castle.anchors import (
    Anchors,
    CredentialsAnchor,
    DatabaseAnchor,
    DatabaseAnchors,
    Restore,
    VaultAnchor,
)
from rebirth.castle.castle import Castle, Handovers, Identity, references
from rebirth.castle.check import Check, Ignored, RepositoryFile
from rebirth.castle.existing import Existing
from rebirth.castle.flux import FluxByOperator, FluxOfRepository
from rebirth.castle.foundation import (
    Chart,
    ClusterDns,
    CoreDns,
    DirectSecret,
    ExternalSecrets,
    ExternalSecretsOfFlux,
    Foundation,
    KeyReference,
    PullSecret,
    RegistryLogin,
    RegistryLogins,
    Store,
    Vault,
)
from rebirth.castle.gitops import Decryption, GitOps, Ssh
from rebirth.castle.handovers import Handover
from rebirth.castle.hardware import Hardware
from rebirth.castle.kubernetes import Kubernetes
from rebirth.castle.load import load, load_model
from rebirth.castle.machines import Machine, Machines
from rebirth.castle.model import Section, port_of
from rebirth.castle.networking import Cilium, CiliumPool, MetalLb, Networking, Pool
from rebirth.castle.online import Awaited, Entrance, Online, Site, Sites
from rebirth.castle.patience import Patience
from rebirth.castle.proxmox import Placed, Proxmox, placement
from rebirth.castle.storage import DataPath, Storage, StorageOfFlux
from rebirth.castle.tailscale import NodeKey, Tailscale
from rebirth.castle.talos import Talos
from rebirth.castle.vault_directory import Secrets

__all__ = [
    "Anchors",
    "Awaited",
    "Castle",
    "Chart",
    "Check",
    "Cilium",
    "CiliumPool",
    "ClusterDns",
    "CoreDns",
    "CredentialsAnchor",
    "DataPath",
    "DatabaseAnchor",
    "DatabaseAnchors",
    "Decryption",
    "DirectSecret",
    "Entrance",
    "Existing",
    "ExternalSecrets",
    "ExternalSecretsOfFlux",
    "FluxByOperator",
    "FluxOfRepository",
    "Foundation",
    "GitOps",
    "Handover",
    "Handovers",
    "Hardware",
    "Identity",
    "Ignored",
    "KeyReference",
    "Kubernetes",
    "Machine",
    "Machines",
    "MetalLb",
    "Networking",
    "NodeKey",
    "Online",
    "Patience",
    "Placed",
    "Pool",
    "Proxmox",
    "PullSecret",
    "RegistryLogin",
    "RegistryLogins",
    "RepositoryFile",
    "Restore",
    "Secrets",
    "Section",
    "Site",
    "Sites",
    "Ssh",
    "Storage",
    "StorageOfFlux",
    "Store",
    "Tailscale",
    "Talos",
    "Vault",
    "VaultAnchor",
    "host_of",
    "load",
    "load_model",
    "placement",
    "port_of",
    "references",
]
