"""What the image factory builds a Talos from: extensions and kernel arguments, or the id of such a list."""

import hashlib
from typing import Annotated

from pydantic import Discriminator, StringConstraints, Tag, model_validator

from rebirth.castle.model import Section, in_our_words

SchematicId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    in_our_words("must be the 64-digit id from factory.talos.dev, or `extensions` and `kernel_args`"),
]
Extension = Annotated[
    str,
    StringConstraints(pattern=r"^(siderolabs/)?[a-z0-9][a-z0-9-]*$"),
    in_our_words("must be an official extension, such as iscsi-tools"),
]
# What YAML writes without quotes, so that the text below is the factory's own.
KernelArgument = Annotated[
    str,
    StringConstraints(pattern=r"^-?[A-Za-z][A-Za-z0-9_.-]*(=[A-Za-z0-9_.,/:@+=-]*[A-Za-z0-9_./@+=-])?$"),
    in_our_words(
        "must be a kernel argument such as net.ifnames=0; for another kind take the id from factory.talos.dev"
    ),
]
_QUOTED = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # by YAML, where it is text


class Schematic(Section):
    """System extensions and kernel arguments."""

    extensions: list[Extension] = []
    """Official system extensions, such as iscsi-tools."""
    kernel_args: list[KernelArgument] = []
    """Kernel arguments, such as net.ifnames=0."""

    @model_validator(mode="after")
    def _plain(self) -> "Schematic":
        if quoted := [word for word in self.kernel_args if word.lower() in _QUOTED]:
            raise ValueError(f"at kernel_args: {quoted[0]} is no kernel argument")
        return self

    @property
    def text(self) -> str:
        """As the factory writes it: the id is the hash of these bytes."""
        extensions = sorted({f"siderolabs/{name.removeprefix('siderolabs/')}" for name in self.extensions})
        lines = _listed("    extraKernelArgs:", self.kernel_args, 8)
        lines += ["    systemExtensions:"] * bool(extensions)
        lines += _listed("        officialExtensions:", extensions, 12)
        return "\n".join(["customization:" if lines else "customization: {}", *lines]) + "\n"

    @property
    def id(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def _listed(key: str, values: list[str], margin: int) -> list[str]:
    return [key, *(f"{' ' * margin}- {value}" for value in values)] if values else []


def _form(value: object) -> str:
    return "id" if isinstance(value, str) else "list"


# By its form, so that what is wrong inside of a list is said of that, and an id is not told to be a list.
SchematicOrId = Annotated[Annotated[SchematicId, Tag("id")] | Annotated[Schematic, Tag("list")], Discriminator(_form)]
