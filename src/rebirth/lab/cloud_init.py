"""What a virtual machine's cloud-init drive says to the system that boots from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CloudInit:
    """Texts as Proxmox was given them; empty where nothing is said."""

    name: str
    addresses: tuple[str, ...] = ()  # of each network card in order, such as ip=192.0.2.10/24,gw=192.0.2.1
    nameserver: str = ""
    search_domain: str = ""
    user: str = ""
    ssh_keys: str = ""
    kind: str = "nocloud"  # or configdrive2, opennebula
