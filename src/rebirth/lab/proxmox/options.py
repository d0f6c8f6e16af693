"""The schema of a virtual machine's options: what Proxmox takes, and how it refuses the rest."""

import re
from collections.abc import Callable, Iterable

from rebirth.lab.proxmox.answers import UNKNOWN, refused

DRIVE = re.compile(r"scsi([0-9]|[12][0-9]|30)|virtio([0-9]|1[0-5])|sata[0-5]|ide[0-3]|efidisk0|tpmstate0|unused\d{1,3}")
CARD = re.compile(r"net([0-9]|[12][0-9]|3[01])")
NEW_DISK = re.compile(r"([^/:\s]+):(\d+(\.\d+)?)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BOOLEAN = _words(
    "acpi autostart ciupgrade freeze kvm localtime numa onboot protection reboot tablet tdf template start unique force skiplock"
)
_INTEGER = {
    "balloon": 0,
    "cores": 1,
    "sockets": 1,
    "vcpus": 1,
    "memory": 16,
    "shares": 0,
    "cpuunits": 1,
    "background_delay": 1,
}
_CHOICE = {
    "bios": "seabios, ovmf",
    "scsihw": "lsi, lsi53c810, virtio-scsi-pci, virtio-scsi-single, megasas, pvscsi",
    "ostype": "other, wxp, w2k, w2k3, w2k8, wvista, win7, win8, win10, win11, l24, l26, solaris",
    "arch": "x86_64, aarch64",
    "citype": "configdrive2, nocloud, opennebula",
}
_TEXT = _words(
    "affinity agent args audio0 boot bootdisk cdrom cicustom cipassword ciuser cpu cpulimit description hookscript hotplug hugepages keyboard "
    "machine name nameserver pool rng0 searchdomain smbios1 spice_enhancements sshkeys startdate startup tags vga vmgenid vmstatestorage "
    "watchdog digest delete revert lock import-working-storage bwlimit storage"
)
_NUMBERED = re.compile(r"(hostpci|usb|serial|parallel|ipconfig|numa|virtiofs)\d{1,2}")
_DRIVE_PARTS = _words(
    "aio backup bps bps_rd bps_wr cache cyls detect_zeroes discard efitype format import-from iops iops_rd iops_wr iothread mbps mbps_rd "
    "mbps_wr media model pre-enrolled-keys queues replicate rerror ro scsiblock secs serial shared size snapshot ssd trans version "
    "werror wwn product vendor file"
)
_CARD_PARTS = _words("bridge firewall link_down macaddr mtu queues rate tag trunks model")
_CARD_MODELS = _words(
    "e1000 e1000e e1000-82540em i82551 i82557b i82559er ne2k_isa ne2k_pci pcnet rtl8139 virtio vmxnet3"
)
_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_MAC = re.compile(r"[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}")


def verified(options: dict[str, str]) -> None:
    """Raises for every option that is unknown or malformed, all at once."""
    found = {name: reason for name, value in options.items() if (reason := _reason(name, value))}
    if found:
        raise refused(found)


def _reason(name: str, value: str) -> str | None:
    if name in _BOOLEAN:
        fine = value.lower() in {"0", "1", "on", "off", "yes", "no", "true", "false"}
        return None if fine else f"type check ('boolean') failed - got '{value}'"
    if name in _INTEGER:
        if not re.fullmatch(r"-?\d+", value):
            return f"type check ('integer') failed - got '{value}'"
        return None if int(value) >= _INTEGER[name] else f"value must have a minimum value of {_INTEGER[name]}"
    if name in _CHOICE:
        return (
            None
            if value in _CHOICE[name].split(", ")
            else f"value '{value}' does not have a value in the enumeration '{_CHOICE[name]}'"
        )
    for pattern, check in _FORMATS:
        if pattern.fullmatch(name):
            return check(value)
    return None if name in _TEXT or _NUMBERED.fullmatch(name) else UNKNOWN


def parts(value: str) -> tuple[str, dict[str, str]]:
    """`first,key=value,...`"""
    first, *rest = value.split(",")
    return first, dict(part.partition("=")[::2] for part in rest if part)


def _unknown_parts(given: Iterable[str], known: frozenset[str]) -> str | None:
    wrong = sorted(set(given) - known)
    return "invalid format - format error\n" + "".join(f"{name}: {UNKNOWN}\n" for name in wrong) if wrong else None


def _drive(value: str) -> str | None:
    first, rest = parts(value.removeprefix("file="))
    if first not in {"none", "cdrom"} and ":" not in first:
        return f"invalid format - format error\nfile: invalid format - unable to parse volume ID '{first}'\n\n"
    return _unknown_parts(rest, _DRIVE_PARTS)


def _card(value: str) -> str | None:
    first, rest = parts(value)
    model, _, mac = first.partition("=")
    if model == "model":
        model, mac = mac, rest.get("macaddr", "")
    if model not in _CARD_MODELS:
        return "invalid format - format error\nmodel: property is missing and it is not optional\n"
    if mac and not _MAC.fullmatch(mac):
        return "invalid format - format error\nmacaddr: value does not look like a valid unicast MAC address\n"
    return _unknown_parts(rest, _CARD_PARTS)


def _host_name(value: str) -> str | None:
    return None if _NAME.fullmatch(value) else "invalid format - value does not look like a valid DNS name\n"


def _tags(value: str) -> str | None:
    wrong = [tag for tag in tags(value) if not re.fullmatch(r"[a-z0-9_][a-z0-9_\-+.]*", tag)]
    return "invalid format - invalid characters in tag\n" if wrong else None


def _boot(value: str) -> str | None:
    if re.fullmatch(r"(legacy=)?[acdn]{1,4}", value):
        return None
    if not value.startswith("order="):
        return "invalid format - format error\nboot: invalid boot order\n"
    wrong = [
        name
        for name in value[6:].split(";")
        if name and not re.fullmatch(r"(ide|sata|scsi|virtio|net|usb|hostpci)\d+", name)
    ]
    return (
        f"invalid format - format error\norder: invalid format - invalid boot device '{wrong[0]}'\n\n"
        if wrong
        else None
    )


_FORMATS: tuple[tuple[re.Pattern[str], Callable[[str], str | None]], ...] = (
    (DRIVE, _drive),
    (CARD, _card),
    (re.compile("name"), _host_name),
    (re.compile("tags"), _tags),
    (re.compile("boot"), _boot),
)


def tags(value: str) -> list[str]:
    """Lower case, once each, sorted: so Proxmox keeps them."""
    return sorted({tag.lower() for tag in re.split(r"[,; ]+", value) if tag})
