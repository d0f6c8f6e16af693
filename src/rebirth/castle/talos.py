"""Section `talos`: which Talos, from which image, with which patches of the castle's own."""

from typing import Annotated

from pydantic import StringConstraints

from rebirth.castle.machines import Platform, Role
from rebirth.castle.model import HttpsUrl, Image, Section, Text, Version, in_our_words


class Talos(Section):
    version: Version
    schematic: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9a-f]{64}$"),
        in_our_words("must be the 64-digit id from factory.talos.dev"),
    ]
    image_factory: HttpsUrl = "https://factory.talos.dev"
    installer: Image
    patches: list[Text] = []  # for every machine; those of its role come after them
    control_plane_patches: list[Text] = []
    worker_patches: list[Text] = []

    def patches_for(self, role: Role) -> list[str]:
        """The castle's own patches of a machine of that role, in the order in which they are applied."""
        return [*self.patches, *(self.control_plane_patches if role == "controlplane" else self.worker_patches)]

    def image_url(self, platform: Platform) -> str:
        """Where the image factory serves the boot image of this schematic and version."""
        return f"{self.image_factory}/image/{self.schematic}/{self.version}/{platform}-amd64.iso"

    def image_name(self, platform: Platform) -> str:
        """The file in the storage; that of `metal` has the name that it always had."""
        suffix = "" if platform == "metal" else f"-{platform}"
        return f"talos-{self.version}-{self.schematic[:12]}{suffix}.iso"
