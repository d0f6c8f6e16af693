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
    type: _CpuType = "host"
    sockets: Annotated[int, Field(ge=1, le=4)] = 1  # each with the machine's number of cores
    numa: bool = False
    limit: Annotated[float, Field(gt=0, le=128)] | None = None  # of processors
    units: Annotated[int, Field(ge=1, le=262144)] | None = None  # weight among the machines of a node


class PciDevice(Section):
    """A device of the host, by its resource mapping: only root may name one by its address."""

    mapping: Text
    pcie: bool = True
    primary_gpu: bool = False
    rom_bar: bool = True


class Startup(Section):
    order: Annotated[int, Field(ge=0)] | None = None
    up_seconds: _Seconds | None = None
    down_seconds: _Seconds | None = None


class Hardware(Card):
    node: Text | None = None
    image_storage: Text | None = None
    disk_storage: Text | None = None
    interfaces: Annotated[list[Interface], Field(max_length=31)] = []
    disk: DiskOptions = DiskOptions()  # of the system's disk
    disks: Annotated[list[Disk], Field(max_length=30)] = []
    cpu: Cpu = Cpu()
    balloon_mib: Annotated[int, Field(ge=0)] | None = None  # the least that Proxmox may leave it; 0: no balloon
    agent: bool = False  # needs the extension qemu-guest-agent
    machine_type: Literal["i440fx", "q35"] = "i440fx"
    firmware: Literal["bios", "uefi"] = "bios"
    secure_boot: bool = False
    tpm: bool = False
    serial_console: bool = False
    pci: Annotated[list[PciDevice], Field(max_length=16)] = []
    start_on_boot: bool = True
    startup: Startup | None = None
    pool: Text | None = None
    tags: list[VmTag] = []  # beside the castle's own
    high_availability: bool = False
    protection: bool = False
    schematic: SchematicOrId | None = None  # instead of that of section `talos`
    labels: dict[Label, Annotated[str, Field(max_length=63)]] = {}
    annotations: dict[Label, str] = {}
    taints: dict[Label, Taint] = {}

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
