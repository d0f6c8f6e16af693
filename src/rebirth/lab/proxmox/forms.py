"""Values with an inside: lists of key=value parts, boot orders, names, tags."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rebirth.lab.proxmox.errors import UNKNOWN
from rebirth.lab.proxmox.kinds import whole

_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_MAC = re.compile(r"[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}")
_TAG = re.compile(r"[a-z0-9_][a-z0-9_\-+.]*", re.IGNORECASE)
_CLOUD_INIT = re.compile(r"[:/](vm-\d+-)?cloudinit(\.(raw|qcow2|vmdk))?$")
_BOOT_DEVICE = re.compile(r"(ide|sata|scsi|virtio|net|usb|hostpci)\d+")


def _words(*texts: str) -> frozenset[str]:
    return frozenset(" ".join(texts).split())


_MODELS = _words(
    "e1000 e1000-82540em e1000-82544gc e1000-82545em e1000e i82551 i82557b i82559er ne2k_isa ne2k_pci pcnet rtl8139 virtio vmxnet3"
)


@dataclass(frozen=True)
class Parts:
    """A list of key=value parts; the one of `first` may come without its key. It may be called as the form of a Kind."""

    first: str
    keys: frozenset[str]
    numbers: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # key -> the least and the most that it may be

    def split(self, value: str) -> dict[str, str]:
        """Raises ValueError, in Proxmox' words."""
        found: dict[str, str] = {}
        for part in filter(None, value.split(",")):
            key, equals, said = part.partition("=")
            if not equals:
                key, said = self.first, part
            if not key:
                raise ValueError("value without key, but schema does not define a default key\n")
            if key in found:
                raise ValueError(f"duplicate key in comma-separated list property: {key}\n")
            found[key] = said
        return found

    def __call__(self, value: str) -> str | None:
        try:
            given = self.split(value)
        except ValueError as error:
            return str(error)
        wrong = dict.fromkeys(sorted(given.keys() - self.keys), UNKNOWN)
        for key in given.keys() & self.numbers.keys():
            if reason := whole(*self.numbers[key]).refuses(given[key]):
                wrong[key] = reason
        return "format error\n" + "".join(f"{key}: {reason}\n" for key, reason in wrong.items()) if wrong else None


_DRIVE = (
    "aio backup bps bps_max_length bps_rd bps_rd_length bps_rd_max_length bps_wr bps_wr_length bps_wr_max_length cache detect_zeroes discard "
    "file format import-from iops iops_max iops_max_length iops_rd iops_rd_length iops_rd_max iops_rd_max_length iops_wr iops_wr_length "
    "iops_wr_max iops_wr_max_length mbps mbps_max mbps_rd mbps_rd_max mbps_wr mbps_wr_max media replicate rerror serial shared size snapshot "
    "volume werror"
)


class Drive(Parts):
    """A disk or CD; its first part is a volume, or STORAGE:GIB for a new one."""

    def __call__(self, value: str) -> str | None:
        if reason := super().__call__(value):
            return reason
        file = self.split(value).get("file") or self.split(value).get("volume")
        if file is None:
            return "format error\nfile: property is missing and it is not optional\n"
        if file not in {"none", "cdrom", "cloudinit"} and ":" not in file:
            return f"format error\nfile: invalid format - unable to parse volume ID '{file}'\n\n"
        return None


IDE = Drive("file", _words(_DRIVE, "model ssd wwn"))
SATA = Drive("file", _words(_DRIVE, "ssd wwn"))
SCSI = Drive("file", _words(_DRIVE, "iothread product queues ro scsiblock ssd vendor wwn"))
VIRTIO = Drive("file", _words(_DRIVE, "iothread ro"))
EFI = Drive("file", _words("efitype file format import-from ms-cert pre-enrolled-keys size volume"))
TPM = Drive("file", _words("file format import-from size version volume"))
UNUSED = Drive("file", _words("file volume"))


def is_cloud_init(volume: str) -> bool:
    """Whether it is a cloud-init drive, or is to be one (drive_is_cloudinit in PVE/QemuServer/Drive.pm)."""
    return _CLOUD_INIT.search(volume) is not None


def drive(value: str) -> tuple[str, dict[str, str]]:
    """The volume of a drive, and what else is said of it."""
    rest = SCSI.split(value)
    return rest.pop("file", None) or rest.pop("volume", ""), rest


class Card(Parts):
    """A network card: MODEL=MAC, or the two apart, or the model alone."""

    def __call__(self, value: str) -> str | None:
        if reason := super().__call__(value):
            return reason
        model, mac = model_and_mac(value)
        if not model:
            return "format error\nmodel: property is missing and it is not optional\n"
        if model not in _MODELS:
            choices = ", ".join(sorted(_MODELS))
            return f"format error\nmodel: value '{model}' does not have a value in the enumeration '{choices}'\n"
        if mac and not _MAC.fullmatch(mac):
            return "format error\nmacaddr: invalid format - value does not look like a valid unicast MAC address\n\n"
        return None


_LIMITS = {"mtu": (1, 65520), "queues": (0, 64), "tag": (1, 4094)}
NET = Card("model", _words("bridge firewall link_down macaddr model mtu queues rate tag trunks") | _MODELS, _LIMITS)
AGENT = Parts("enabled", _words("enabled freeze-fs freeze-fs-on-backup fstrim_cloned_disks guest-fsfreeze type"))
MEMORY = Parts("current", _words("current"), {"current": (16, 1 << 40)})
MACHINE = Parts("type", _words("aw-bits enable-s3 enable-s4 type viommu"))
VGA = Parts("type", _words("clipboard memory type"))
USB = Parts("host", _words("host mapping usb3"))
AUDIO = Parts("", _words("device driver"))
SHARED = Parts("", _words("name size"))
PCI = Parts(
    "host",
    _words(
        "device-id driver host legacy-igd mapping mdev pcie rombar romfile sub-device-id sub-vendor-id vendor-id x-vga"
    ),
)
STARTUP = Parts("order", _words("down order up"))
NODE_MEMORY = Parts("", _words("cpus hostnodes memory policy"))
SPICE = Parts("", _words("foldersharing videostreaming"))
IP_CONFIG = Parts("", _words("gw gw6 ip ip6"))
VIRTIOFS = Parts("dirid", _words("cache direct-io dirid expose-acl expose-xattr"))


def model_and_mac(value: str) -> tuple[str, str]:
    """Of a network card; "" for what is not said."""
    said = NET.split(value)
    model = next((name for name in said if name in _MODELS), "")
    return (model, said[model]) if model else (said.get("model", ""), said.get("macaddr", ""))


def host_name(value: str) -> str | None:
    return None if _NAME.fullmatch(value) else "value does not look like a valid DNS name\n"


def tag_list(value: str) -> str | None:
    wrong = [tag for tag in tags(value) if not _TAG.fullmatch(tag)]
    return "invalid characters in tag\n" if wrong else None


def tags(value: str) -> list[str]:
    """Lower case, once each, sorted: so Proxmox keeps them."""
    return sorted({tag.lower() for tag in re.split(r"[,; ]+", value) if tag})


def boot_order(value: str) -> str | None:
    if re.fullmatch(r"(legacy=)?[acdn]{1,4}", value):
        return None
    if not value.startswith("order="):
        return "format error\nboot: invalid boot order\n"
    wrong = [name for name in value[6:].split(";") if name and not _BOOT_DEVICE.fullmatch(name)]
    return f"format error\norder: invalid format - invalid boot device '{wrong[0]}'\n\n" if wrong else None
