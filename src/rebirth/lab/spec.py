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
    """The reference under which the registry serves it."""
    hugo: Text
    """The folder of the site's source."""


class Seed(Section):
    """A secret that Vault holds before the castle is created."""

    path: Text
    """The path below the mount."""
    random: list[Text] = []
    """Properties with a new random value."""
    text: dict[str, str] = {}
    """Properties with a given value."""
    tls: list[DnsName] = []
    """Names of a certificate in tls.crt and tls.key, signed by the lab's authority."""


class OAuthClient(Section):
    """An OAuth client of the tailnet, named by the files of the vault directory that hold it."""

    id: Text
    """The file of the vault directory with its id."""
    secret: Text
    """The file of the vault directory with its secret."""
    tags: list[Tag]
    """The tags that it may assign."""


class StaleDevice(Section):
    """A device that an earlier castle left on the tailnet."""

    hostname: DnsLabel
    """Its name on the tailnet."""
    tags: list[Tag] = []
    """Its tags."""


class Tailnet(Section):
    """The tailnet of the lab."""

    owners: dict[Tag, list[Tag]] = {}
    """Tag -> tags whose holders may assign it."""
    clients: list[OAuthClient] = []
    """OAuth clients besides the castle's own."""
    devices: list[StaleDevice] = []
    """Devices that an earlier castle left."""
    ephemeral_seconds: Annotated[float, Field(ge=66)] = 120
    """After how many seconds without contact an ephemeral device is removed; the control server takes no fewer than 66."""


class Machines(Section):
    """What the machines' hardware and the router of the LAN do."""

    install_seconds: Annotated[float, Field(ge=0)] = 2
    """Seconds that the installer of Talos takes to write a disk."""
    disks_never_written: list[DnsLabel] = []
    """Machines whose installation does not end."""
    dhcp: dict[DnsLabel, Address] = {}
    """Machine -> the address reserved for its MAC, where that is not the castle's."""


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

    token_rights: (
        dict[Annotated[str, AfterValidator(_acl_path)], list[Annotated[str, AfterValidator(_privilege)]]] | None
    ) = None
    """Path -> privileges, on everything below it, too. Where nothing is said, exactly those that a castle needs."""
    storage_gib: dict[Text, Annotated[float, Field(gt=0)]] = {}
    """Storage -> its size in GiB; 1 TiB that never fills where nothing is said."""
    shared_storages: list[Text] = []
    """Storages that hold the same on every node."""
    task_seconds: Annotated[float, Field(ge=0)] = 0
    """Seconds that every task takes at least."""
    mib_per_second: Annotated[float, Field(gt=0)] | None = None
    """The speed of uploads, and of downloads by the host."""


class Lab(Section):
    """What a rehearsal needs besides the castle."""

    version: Literal[1] = 1
    """The version of this format."""
    repositories: dict[RepositoryUrl, Text] = {}
    """URL of a Git repository -> the local folder that the lab serves under it."""
    names: dict[DnsName, IPv4Address] = {}
    """What the world's DNS says of the castle's own sites."""
    private_images: list[Text] = []
    """Prefixes of images that need the pull secret, such as `ghcr.io/owner/`."""
    images: list[SiteImage] = []
    """Images built from sources when the lab starts."""
    vault: list[Seed] = []
    """What Vault holds before the castle is created."""
    real: list[Text] = []
    """Images and workloads that no stub stands in for, even if the lab does not have the image: that is then reported. An image as
    manifests write it, or without its tag; a workload as `name` or `namespace/name`."""
    paper: list[Text] = []
    """Images and workloads that run on paper, even if the lab has the image; named in the same way."""
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
