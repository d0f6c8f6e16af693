"""Section `talos`: which Talos, from which image, with which patches of the castle's own."""

from typing import Annotated

from pydantic import StringConstraints

from rebirth.castle.model import HttpsUrl, Section, Text, Version


class Talos(Section):
    version: Version
    schematic: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    image_factory: HttpsUrl = "https://factory.talos.dev"
    installer: Text
    patches: list[Text] = []

    @property
    def image_url(self) -> str:
        """Where the image factory serves the boot image of this schematic and version."""
        return f"{self.image_factory}/image/{self.schematic}/{self.version}/metal-amd64.iso"

    @property
    def image_name(self) -> str:
        return f"talos-{self.version}-{self.schematic[:12]}.iso"
