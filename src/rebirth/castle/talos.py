"""Section `talos`: which Talos, from which image, with which patches of the castle's own."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from rebirth.castle.hardware import Hardware, Schematic, SchematicOrId
from rebirth.castle.machines import Machine, Machines
from rebirth.castle.model import DnsName, HttpsUrl, Image, Patch, Section, Version


class Talos(Section):
    """Which Talos, from which image, with which patches of the castle's own."""

    version: Version
    """The version of Talos."""
    schematic: SchematicOrId
    """What the image factory builds Talos from: extensions and kernel arguments, or the id of such a list."""
    image_factory: HttpsUrl = "https://factory.talos.dev"
    """The URL of the image factory."""
    installer: Image | None = None
    """The image of the installer, where it is not the factory's for this schematic."""
    registry_mirrors: dict[DnsName, Annotated[list[HttpsUrl], Field(min_length=1)]] = {}
    """Registry -> mirrors that are asked first, in order."""
    patches: list[Patch] = []
    """Patches for every machine: files beside castle.yaml, or documents. Those for its role come after them, its own last."""
    control_plane_patches: list[Patch] = []
    """Patches for control planes."""
    worker_patches: list[Patch] = []
    """Patches for workers."""

    def patches_for(self, machine: Machine) -> dict[tuple[str | int, ...], Patch]:
        """The castle's own patches of a machine in the order in which they are applied. Where in castle.yaml -> patch."""
        role = "control_plane_patches" if machine.role == "controlplane" else "worker_patches"
        lists = {
            ("talos", "patches"): self.patches,
            ("talos", role): getattr(self, role),
            ("patches",): machine.patches,
        }
        return {(*where, number): patch for where, named in lists.items() for number, patch in enumerate(named)}

    def schematic_of(self, own: Hardware) -> str | Schematic:
        return self.schematic if own.schematic is None else own.schematic

    def schematics(self, machines: Machines) -> list[str | Schematic]:
        """Of all machines."""
        return [self.schematic_of(machines.hardware(machine)) for machine in machines.nodes]

    def image_url(self, machine: Machine, machines: Machines) -> str:
        """Where the image factory serves the machine's boot image."""
        own = machines.hardware(machine)
        name = f"{machines.platform}-amd64{_secure(own)}.iso"
        return f"{self.image_factory}/image/{_id(self.schematic_of(own))}/{self.version}/{name}"

    def image_name(self, machine: Machine, machines: Machines) -> str:
        """The file in the storage; that of `metal` has the name that it always had."""
        own = machines.hardware(machine)
        suffix = ("" if machines.platform == "metal" else f"-{machines.platform}") + _secure(own)
        return f"talos-{self.version}-{_id(self.schematic_of(own))[:12]}{suffix}.iso"

    def installer_of(self, machine: Machine, machines: Machines) -> str:
        """The image that writes the machine's disk: with what its boot image was made of."""
        own = machines.hardware(machine)
        if self.installer is not None and own.schematic is None:
            return self.installer
        host = urlsplit(self.image_factory).netloc
        return f"{host}/{machines.platform}-installer{_secure(own)}/{_id(self.schematic_of(own))}:{self.version}"


def _id(schematic: str | Schematic) -> str:
    return schematic if isinstance(schematic, str) else schematic.id


def _secure(own: Hardware) -> str:
    return "-secureboot" if own.secure_boot else ""
