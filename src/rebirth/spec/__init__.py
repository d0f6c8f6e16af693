"""What the operator wants: castle.yaml, one model a section."""

from rebirth.spec.castle import Castle, Handovers, Identity
from rebirth.spec.check import Check, Ignored, RepositoryFile
from rebirth.spec.engine import (
    Chart,
    CoreDns,
    DirectSecret,
    Engine,
    KeyReference,
    PullSecret,
    RegistryLogin,
    RegistryLogins,
    Store,
    Vault,
)
from rebirth.spec.gitops import GitOps
from rebirth.spec.handovers import Handover
from rebirth.spec.kubernetes import Kubernetes
from rebirth.spec.load import load, load_model
from rebirth.spec.machines import Machine, Machines
from rebirth.spec.model import Section, host_of, port_of
from rebirth.spec.networking import Networking
from rebirth.spec.online import Online, Site
from rebirth.spec.proxmox import Proxmox
from rebirth.spec.storage import Storage
from rebirth.spec.tailscale import NodeKey, Tailscale
from rebirth.spec.talos import Talos
from rebirth.spec.vault_directory import Secrets

__all__ = [
    "Castle",
    "Chart",
    "Check",
    "CoreDns",
    "DirectSecret",
    "Engine",
    "GitOps",
    "Handover",
    "Handovers",
    "Identity",
    "Ignored",
    "KeyReference",
    "Kubernetes",
    "Machine",
    "Machines",
    "Networking",
    "NodeKey",
    "Online",
    "Proxmox",
    "PullSecret",
    "RegistryLogin",
    "RegistryLogins",
    "RepositoryFile",
    "Secrets",
    "Section",
    "Site",
    "Storage",
    "Store",
    "Tailscale",
    "Talos",
    "Vault",
    "host_of",
    "load",
    "load_model",
    "port_of",
]
