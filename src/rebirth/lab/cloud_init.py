"""What a virtual machine's cloud-init drive says to the system that boots from it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CloudInit:
    """Texts as Proxmox was given them; empty where nothing is said."""

    name: str
    # For each network card in order: ip with its prefix, or "dhcp", and gw; ip6 and gw6 likewise.
    addresses: tuple[Mapping[str, str], ...] = ()
    nameservers: tuple[str, ...] = ()
    search_domain: str = ""
    user: str = ""
    ssh_keys: str = ""
    kind: str = "nocloud"  # or configdrive2, opennebula
