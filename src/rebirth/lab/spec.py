"""lab.yaml: what a rehearsal needs besides the castle. It stands beside castle.yaml, which is never edited for the lab."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from rebirth.castle import Section, load_model
from rebirth.castle.model import DnsLabel, DnsName, HttpsUrl, Tag, Text

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
    ephemeral_seconds: Annotated[float, Field(gt=0)] = 120


class Lab(Section):
    version: Literal[1] = 1
    repositories: dict[HttpsUrl, Text] = {}  # URL -> local folder
    names: dict[DnsName, IPv4Address] = {}  # what the world's DNS says of the castle's own sites
    private_images: list[Text] = []  # prefixes such as ghcr.io/owner/
    images: list[SiteImage] = []
    vault: list[Seed] = []
    tailnet: Tailnet = Tailnet()


def load_lab(castle: Path) -> Lab:
    """lab.yaml of a castle directory, or the defaults where there is none. Raises SpecError."""
    file = castle / FILE
    return load_model(file, Lab) if file.exists() else Lab()
