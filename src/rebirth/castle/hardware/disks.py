"""Disks."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rebirth.castle.model import Section, Text, in_our_words

_DISK = 128 << 10  # GiB: 128 TiB

Gib = Annotated[int, Field(ge=1, le=_DISK)]
VolumeName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=34),
    in_our_words("must be at most 34 lower-case letters, digits and hyphens, such as longhorn"),
]


class DiskOptions(Section):
    """How Proxmox serves a disk."""

    discard: bool = False  # what is deleted is given back to the storage
    ssd: bool = False
    iothread: bool = False
    cache: Literal["none", "writethrough", "writeback", "unsafe", "directsync"] | None = None
    aio: Literal["native", "threads", "io_uring"] | None = None
    backup: bool | None = None
    replicate: bool | None = None


class Disk(DiskOptions):
    """A further disk: a volume of Talos, mounted at /var/mnt/NAME, or left as it is for what finds disks by itself."""

    name: VolumeName
    size_gib: Gib
    storage: Text | None = None
    filesystem: Literal["xfs", "ext4"] | None = "xfs"  # null: no volume
    purpose: Literal["volume", "storage"] = "volume"  # storage: where the chart of section `storage` keeps its volumes

    @property
    def mount(self) -> str:
        return f"/var/mnt/{self.name}"
