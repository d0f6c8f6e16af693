"""What a machine is made of, and where it stands. Each field may be said for all machines (`machines.defaults`) or for one."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rebirth.castle.hardware.cards import Card, Interface, Mac
from rebirth.castle.hardware.disks import Disk, DiskOptions
from rebirth.castle.hardware.schematic import Schematic, SchematicOrId
from rebirth.castle.model import Section, Text, in_our_words

__all__ = [
    "Card",
    "Cpu",
    "Disk",
    "DiskOptions",
    "Hardware",
    "Interface",
    "Mac",
    "PciDevice",
    "Schematic",
    "SchematicOrId",
    "Startup",
]

_Seconds = Annotated[int, Field(ge=0)]
_CpuType = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*(,flags=[-+;a-z0-9]+)?$"),
    in_our_words("must be a CPU type of Proxmox, such as host or x86-64-v2-AES"),
]


VmTag = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9_][a-z0-9_\-+.]*$"),
    in_our_words("must be a tag of Proxmox in lower case, such as castle-mine"),
]
Label = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"),
    in_our_words("must be a label's key, such as topology.kubernetes.io/zone"),
]
Taint = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$"),
    in_our_words("must be VALUE:EFFECT, such as true:NoSchedule"),
]


class Cpu(Section):
    """The processors of a machine."""

    type: _CpuType = "host"
    """The CPU type of Proxmox."""
    sockets: Annotated[int, Field(ge=1, le=4)] = 1
    """Sockets, each with the machine's number of cores."""
    numa: bool = False
    """Whether the machine sees the NUMA nodes."""
    limit: Annotated[float, Field(gt=0, le=128)] | None = None
    """The most processor time that it gets, in processors."""
    units: Annotated[int, Field(ge=1, le=262144)] | None = None
    """Its weight among the machines of a Proxmox node."""


class PciDevice(Section):
    """A device of the host, by its resource mapping: only root may name one by its address."""

    mapping: Text
    """The name of the resource mapping in Proxmox."""
    pcie: bool = True
    """Whether it is passed through as PCI Express."""
    primary_gpu: bool = False
    """Whether it is the machine's graphics card."""
    rom_bar: bool = True
    """Whether the machine sees the device's ROM."""


class Startup(Section):
    """When Proxmox starts and stops a machine."""

    order: Annotated[int, Field(ge=0)] | None = None
    """The place in the order in which Proxmox starts machines."""
    up_seconds: _Seconds | None = None
    """Seconds that Proxmox waits before it starts the next."""
    down_seconds: _Seconds | None = None
    """Seconds that Proxmox waits for it to shut down."""


class Hardware(Card):
    """What a machine is made of, and where it stands."""

    node: Text | None = None
    """The Proxmox node on which it runs."""
    image_storage: Text | None = None
    """The storage of its boot image."""
    disk_storage: Text | None = None
    """The storage of its disks."""
    interfaces: Annotated[list[Interface], Field(max_length=31)] = []
    """Further network cards."""
    disk: DiskOptions = DiskOptions()
    """How Proxmox serves the system's disk."""
    disks: Annotated[list[Disk], Field(max_length=30)] = []
    """Further disks."""
    cpu: Cpu = Cpu()
    """The processors."""
    balloon_mib: Annotated[int, Field(ge=0)] | None = None
    """The least memory that Proxmox may leave it, in MiB; 0: no balloon."""
    agent: bool = False
    """Whether Proxmox asks the guest agent; needs the extension qemu-guest-agent."""
    machine_type: Literal["i440fx", "q35"] = "i440fx"
    """The chipset."""
    firmware: Literal["bios", "uefi"] = "bios"
    """BIOS, or UEFI with a disk for its variables."""
    secure_boot: bool = False
    """Boot only what is signed; needs UEFI and q35."""
    tpm: bool = False
    """A TPM 2.0."""
    serial_console: bool = False
    """A serial console."""
    pci: Annotated[list[PciDevice], Field(max_length=16)] = []
    """Devices of the host that are passed through."""
    start_on_boot: bool = True
    """Whether it starts with its Proxmox node."""
    startup: Startup | None = None
    """When Proxmox starts and stops it."""
    pool: Text | None = None
    """The resource pool of Proxmox."""
    tags: list[VmTag] = []
    """Tags of the virtual machine beside the castle's own."""
    high_availability: bool = False
    """Whether Proxmox' HA manager looks after it."""
    protection: bool = False
    """Whether Proxmox refuses to remove it."""
    schematic: SchematicOrId | None = None
    """A schematic instead of that of section `talos`."""
    labels: dict[Label, Annotated[str, Field(max_length=63)]] = {}
    """Labels of the Kubernetes node."""
    annotations: dict[Label, str] = {}
    """Annotations of the Kubernetes node."""
    taints: dict[Label, Taint] = {}
    """Taints of the Kubernetes node: key -> VALUE:EFFECT."""

    def complaint(self) -> str:
        """Why these do not go together: FIELD: WORDS, or nothing."""
        names = [disk.name for disk in self.disks]
        if twice := next((name for number, name in enumerate(names) if name in names[:number]), ""):
            return f"disks: two disks have the name {twice}"
        if self.secure_boot and (self.firmware, self.machine_type) != ("uefi", "q35"):
            return "secure_boot: needs `firmware: uefi` and `machine_type: q35`"
        if self.machine_type != "q35" and any(device.pcie for device in self.pci):
            return "pci: PCI Express needs `machine_type: q35`; without it say `pcie: false`"
        return ""
