"""Machines by formula: a number of them that are alike, with names and addresses counted up."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from rebirth.castle.hardware import Hardware
from rebirth.castle.model import Address, Patch, in_our_words

_MEMORY = 4 << 20  # MiB: 4 TiB
_DISK = 128 << 10  # GiB: 128 TiB
_MOST = 200  # machines of a group

NamePattern = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z0-9][-a-z0-9]*)?\{n\}([-a-z0-9]*[a-z0-9])?$", max_length=50),
    in_our_words("must be a DNS label in which {n} is the number, such as worker-{n}"),
]


class Size(Hardware):
    """What each machine of a castle has to say of itself."""

    cores: Annotated[int, Field(ge=1, le=512)]
    """Cores of each of its sockets."""
    memory_mib: Annotated[int, Field(ge=1024, le=_MEMORY)]
    """Its memory, in MiB."""
    disk_gib: Annotated[int, Field(ge=10, le=_DISK)]
    """The size of the system's disk, in GiB."""
    patches: list[Patch] = []
    """Patches for this machine alone, after those of section `talos`."""


class Group(Size):
    """So many machines: the first has number 1 and the first address, each further one the next."""

    count: Annotated[int, Field(ge=1, le=_MOST)]
    """How many machines."""
    name: NamePattern | None = None
    """Their names, {n} being the number; control-plane-{n} or worker-{n} if it is not given."""
    first_address: Address
    """The address of the first on the LAN."""

    def members(self, role: str, pattern: str) -> Iterator[dict[str, object]]:
        """The fields of each machine."""
        own = self.model_fields_set - {"count", "name", "first_address"}
        same = {name: getattr(self, name) for name in own}
        for number in range(self.count):
            name = (self.name or pattern).replace("{n}", str(number + 1))
            yield {"name": name, "role": role, "address": self.first_address + number, **same}
