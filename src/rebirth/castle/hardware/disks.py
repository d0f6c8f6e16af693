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

    discard: bool = False
    """Whether space that is freed is given back to the storage."""
    ssd: bool = False
    """Whether the machine sees it as an SSD."""
    iothread: bool = False
    """Whether it has a thread of its own."""
    cache: Literal["none", "writethrough", "writeback", "unsafe", "directsync"] | None = None
    """How Proxmox caches it."""
    aio: Literal["native", "threads", "io_uring"] | None = None
    """How Proxmox does input and output."""
    backup: bool | None = None
    """Whether Proxmox' backups hold it."""
    replicate: bool | None = None
    """Whether Proxmox' replication takes it."""


class Disk(DiskOptions):
    """A further disk: a volume of Talos, mounted at /var/mnt/NAME, or left as it is for what finds disks by itself."""

    name: VolumeName
    """The name of the volume, mounted at /var/mnt/NAME."""
    size_gib: Gib
    """Its size, in GiB."""
    storage: Text | None = None
    """The storage of Proxmox."""
    filesystem: Literal["xfs", "ext4"] | None = "xfs"
    """The file system; null: the disk is left as it is."""
    purpose: Literal["volume", "storage"] = "volume"
    """storage: the chart of section `storage` keeps its volumes there."""

    @property
    def mount(self) -> str:
        return f"/var/mnt/{self.name}"
