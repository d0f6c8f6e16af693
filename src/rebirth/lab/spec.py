"""lab.yaml: what a rehearsal needs besides the castle. It stands beside castle.yaml, which is never edited for the lab."""

import re
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rebirth.castle import Castle, Section, load_model
from rebirth.castle.gitops import RepositoryUrl
from rebirth.castle.model import Address, DnsLabel, DnsName, Tag, Text
from rebirth.errors import SpecError
from rebirth.lab.proxmox.rights import PRIVILEGES

FILE = "lab.yaml"


class SiteImage(Section):
    """An image made from a Hugo site, served by a small web server on port 8080."""

    reference: Text
    hugo: Text  # folder


class Seed(Section):
    """A secret that Vault holds before the castle is created."""

    path: Text
    random: list[Text] = []  # properties with a new random value
    text: dict[str, str] = {}  # properties with a given value
    tls: list[DnsName] = []  # tls.crt and tls.key for these names, signed by the lab's CA


class OAuthClient(Section):
    """An OAuth client of the tailnet, named by the files of the vault directory that hold it."""

    id: Text
    secret: Text
    tags: list[Tag]


class StaleDevice(Section):
    hostname: DnsLabel
    tags: list[Tag] = []


class Tailnet(Section):
    owners: dict[Tag, list[Tag]] = {}  # tag -> tags whose holders may assign it
    clients: list[OAuthClient] = []
    devices: list[StaleDevice] = []
    ephemeral_seconds: Annotated[float, Field(ge=66)] = 120  # the control server takes no fewer


class Machines(Section):
    """What the machines' hardware and the router of the LAN do."""

    install_seconds: Annotated[float, Field(ge=0)] = 2  # that Talos' installer takes to write a disk
    disks_never_written: list[DnsLabel] = []  # machines whose installation does not end
    dhcp: dict[DnsLabel, Address] = {}  # machine -> the address reserved for its MAC, where that is not the castle's


def _privilege(value: str) -> str:
    if value not in PRIVILEGES:
        raise ValueError("must be a privilege of Proxmox, such as VM.Audit")
    return value


def _acl_path(value: str) -> str:
    if not re.fullmatch(r"/|(/[^/]+)+", value):
        raise ValueError("must be a path of Proxmox' permissions, such as /vms or /storage/local")
    return value


class ProxmoxHost(Section):
    """The Proxmox host: what its token may do, how much fits into its storages, how fast it is."""

    # Path -> privileges, on everything below it, too. Where nothing is said, exactly those that a castle needs.
    token_rights: (
        dict[Annotated[str, AfterValidator(_acl_path)], list[Annotated[str, AfterValidator(_privilege)]]] | None
    ) = None
    storage_gib: dict[
        Text, Annotated[float, Field(gt=0)]
    ] = {}  # storage -> its size; 1 TiB that never fills where nothing is said
    shared_storages: list[Text] = []  # that hold the same on every node
    task_seconds: Annotated[float, Field(ge=0)] = 0  # that every task takes at least
    mib_per_second: Annotated[float, Field(gt=0)] | None = None  # of uploads, and of downloads by the host


class Lab(Section):
    version: Literal[1] = 1
    repositories: dict[RepositoryUrl, Text] = {}  # URL -> local folder
    names: dict[DnsName, IPv4Address] = {}  # what the world's DNS says of the castle's own sites
    private_images: list[Text] = []  # prefixes such as ghcr.io/owner/
    images: list[SiteImage] = []
    vault: list[Seed] = []
    tailnet: Tailnet = Tailnet()
    machines: Machines = Machines()
    proxmox: ProxmoxHost = ProxmoxHost()


def load_lab(castle: Path) -> Lab:
    """lab.yaml of a castle directory, or the defaults where there is none. Raises SpecError."""
    file = castle / FILE
    return load_model(file, Lab) if file.exists() else Lab()


def refuse(castle: Castle) -> None:
    """What a lab cannot stand in for. Raises SpecError."""
    if castle.gitops.ssh and isinstance(castle.gitops.ssh.known_hosts, str):
        words = "gitops.ssh.known_hosts: the lab's Git host cannot have the key of the real one"
        hint = "Write `known_hosts: {secret: NAME}`, and put the lines into the file NAME of the vault directory."
        raise SpecError(words, hint=f"{hint} The lab replaces that as it replaces all secrets.")
    if castle.gitops.flux:
        words = "gitops.flux: the lab does not have flux-operator"
        raise SpecError(words, hint="To rehearse the rest of the castle, take the section out of a copy of it.")
