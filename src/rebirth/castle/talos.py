"""Section `talos`: which Talos, from which image, with which patches of the castle's own."""

from typing import Annotated

from pydantic import StringConstraints

from rebirth.castle.machines import Machine, Platform
from rebirth.castle.model import HttpsUrl, Image, Patch, Section, Version, in_our_words


class Talos(Section):
    version: Version
    schematic: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9a-f]{64}$"),
        in_our_words("must be the 64-digit id from factory.talos.dev"),
    ]
    image_factory: HttpsUrl = "https://factory.talos.dev"
    installer: Image
    patches: list[Patch] = []  # for every machine; those of its role come after them, its own last
    control_plane_patches: list[Patch] = []
    worker_patches: list[Patch] = []

    def patches_for(self, machine: Machine) -> dict[tuple[str | int, ...], Patch]:
        """The castle's own patches of a machine in the order in which they are applied. Where in castle.yaml -> patch."""
        role = "control_plane_patches" if machine.role == "controlplane" else "worker_patches"
        lists = {
            ("talos", "patches"): self.patches,
            ("talos", role): getattr(self, role),
            ("patches",): machine.patches,
        }
        return {(*where, number): patch for where, named in lists.items() for number, patch in enumerate(named)}

    def image_url(self, platform: Platform) -> str:
        """Where the image factory serves the boot image of this schematic and version."""
        return f"{self.image_factory}/image/{self.schematic}/{self.version}/{platform}-amd64.iso"

    def image_name(self, platform: Platform) -> str:
        """The file in the storage; that of `metal` has the name that it always had."""
        suffix = "" if platform == "metal" else f"-{platform}"
        return f"talos-{self.version}-{self.schematic[:12]}{suffix}.iso"
