"""The options of a virtual machine: what each may be, and the privilege that it takes to set it (PVE/API2/Qemu.pm of qemu-server)."""

import re
from collections.abc import Mapping

from rebirth.lab.proxmox import forms
from rebirth.lab.proxmox.errors import PveError
from rebirth.lab.proxmox.kinds import FLAG, TEXT, Kind, Kinds, kind_of, one_of, whole
from rebirth.lab.proxmox.method import VMID
from rebirth.lab.proxmox.rights import Rights

DRIVE = re.compile(r"scsi([0-9]|[12][0-9]|30)|virtio([0-9]|1[0-5])|sata[0-5]|ide[0-3]|efidisk0|tpmstate0|unused\d{1,3}")
CARD = re.compile(r"net([0-9]|[12][0-9]|3[01])")
_KEYBOARDS = "de de-ch da en-gb en-us es fi fr fr-be fr-ca fr-ch hu is it ja lt mk nl no pl pt pt-br sv sl tr"
_LOCKS = "backup clone create migrate rollback snapshot snapshot-delete suspending suspended"
_SYSTEMS = "other wxp w2k w2k3 w2k8 wvista win7 win8 win10 win11 l24 l26 solaris"
_UUID_OR_FLAG = r"(?:[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}|[01])"
_DATE = r"(now|\d{4}-\d{1,2}-\d{1,2}(T\d{1,2}:\d{1,2}:\d{1,2})?)"

CONFIG: Kinds = {
    "acpi": FLAG,
    "affinity": TEXT,
    "agent": Kind(form=forms.AGENT),
    "allow-ksm": FLAG,
    "amd-sev": TEXT,
    "arch": one_of("x86_64 aarch64"),
    "args": TEXT,
    "audio0": Kind(form=forms.AUDIO),
    "autostart": FLAG,
    "balloon": whole(0),
    "bios": one_of("seabios ovmf"),
    "boot": Kind(form=forms.boot_order),
    "bootdisk": Kind(pattern=r"(ide|sata|scsi|virtio)\d+"),
    "cdrom": TEXT,
    "cicustom": TEXT,
    "cipassword": TEXT,
    "citype": one_of("configdrive2 nocloud opennebula"),
    "ciupgrade": FLAG,
    "ciuser": TEXT,
    "cores": whole(1),
    "cpu": TEXT,
    "cpulimit": Kind("number", least=0, most=128),
    "cpuunits": whole(1, 262144),
    "description": Kind(longest=8192),
    "efidisk0": Kind(form=forms.EFI),
    "freeze": FLAG,
    "hookscript": TEXT,
    "hostpci[n]": Kind(form=forms.PCI, count=16),
    "hotplug": TEXT,
    "hugepages": one_of("any 2 1024"),
    "ide[n]": Kind(form=forms.IDE, count=4),
    "intel-tdx": TEXT,
    "ipconfig[n]": Kind(form=forms.IP_CONFIG, count=32),
    "ivshmem": Kind(form=forms.SHARED),
    "keephugepages": FLAG,
    "keyboard": one_of(_KEYBOARDS),
    "kvm": FLAG,
    "localtime": FLAG,
    "lock": one_of(_LOCKS),
    "machine": Kind(form=forms.MACHINE),
    "memory": Kind(form=forms.MEMORY),
    "migrate_downtime": Kind("number", least=0),
    "migrate_speed": whole(0),
    "name": Kind(form=forms.host_name),
    "nameserver": TEXT,
    "net[n]": Kind(form=forms.NET, count=32),
    "numa": FLAG,
    "numa[n]": Kind(form=forms.NODE_MEMORY, count=8),
    "onboot": FLAG,
    "ostype": one_of(_SYSTEMS),
    "parallel[n]": Kind(pattern=r"/dev/parport\d+|/dev/usb/lp\d+", count=3),
    "protection": FLAG,
    "reboot": FLAG,
    "rng0": TEXT,
    "sata[n]": Kind(form=forms.SATA, count=6),
    "scsi[n]": Kind(form=forms.SCSI, count=31),
    "scsihw": one_of("lsi lsi53c810 virtio-scsi-pci virtio-scsi-single megasas pvscsi"),
    "searchdomain": TEXT,
    "serial[n]": Kind(pattern=r"(/dev/[^,]+|socket)", count=4),
    "shares": whole(0, 50000),
    "smbios1": Kind(longest=512),
    "smp": whole(1),
    "sockets": whole(1),
    "spice_enhancements": Kind(form=forms.SPICE),
    "sshkeys": TEXT,
    "startdate": Kind(pattern=_DATE),
    "startup": Kind(form=forms.STARTUP),
    "tablet": FLAG,
    "tags": Kind(form=forms.tag_list),
    "tdf": FLAG,
    "template": FLAG,
    "tpmstate0": Kind(form=forms.TPM),
    "unused[n]": Kind(form=forms.UNUSED, count=256),
    "usb[n]": Kind(form=forms.USB, count=14),
    "vcpus": whole(1),
    "vga": Kind(form=forms.VGA),
    "virtio[n]": Kind(form=forms.VIRTIO, count=16),
    "virtiofs[n]": Kind(form=forms.VIRTIOFS, count=10),
    "vmgenid": Kind(pattern=_UUID_OR_FLAG),
    "vmstatestorage": TEXT,
    "watchdog": TEXT,
}
CREATE: Kinds = {
    **CONFIG,
    "vmid": VMID,
    "archive": Kind(longest=255),
    "bwlimit": whole(0),
    "force": Kind("boolean", needs="archive"),
    "ha-managed": FLAG,
    "import-working-storage": TEXT,
    "live-restore": FLAG,
    "pool": TEXT,
    "start": FLAG,
    "storage": TEXT,
    "unique": Kind("boolean", needs="archive"),
}
CHANGE: Kinds = {
    **CONFIG,
    "delete": TEXT,
    "digest": Kind(longest=40),
    "force": Kind("boolean", needs="delete"),
    "revert": TEXT,
    "skiplock": FLAG,
}
CHANGE_LATER: Kinds = {**CHANGE, "background_delay": whole(1, 30), "import-working-storage": TEXT}

_PRIVILEGES = {  # any of them -> for which options
    "VM.Config.Cloudinit VM.Config.Network": "cicustom cipassword citype ciuser ciupgrade nameserver searchdomain sshkeys ipconfig[n]",
    "VM.Config.CPU": "cores cpu cpulimit cpuunits numa smp sockets vcpus numa[n]",
    "VM.Config.Memory": "memory balloon shares allow-ksm",
    "VM.Config.HWType": "acpi hotplug kvm machine scsihw smbios1 tablet vga watchdog audio0 rng0 serial[n] usb[n] hostpci[n]",
    "VM.Config.Options": (
        "agent autostart bios description keyboard localtime migrate_downtime migrate_speed name onboot ostype protection reboot startdate "
        "startup tdf template tags"
    ),
    "VM.PowerMgmt": "freeze",
    "VM.Config.Disk": "boot bootdisk vmstatestorage virtiofs[n]",
    "VM.Config.Network": "net[n]",
}
_OF = {option: any_of.split() for any_of, options in _PRIVILEGES.items() for option in options.split()}


def options_in(given: Mapping[str, str]) -> dict[str, str]:
    """What is said of the configuration itself."""
    return {name: value for name, value in given.items() if kind_of(CONFIG, name)}


def may_set(rights: Rights, vmid: int, name: str, value: str) -> None:
    """Raises where the token may not set, or delete, this option. Drives are asked for by `may_change_drive`."""
    if DRIVE.fullmatch(name) or name == "cdrom":
        return
    family = re.sub(r"\d+$", "[n]", name)
    if (privileges := _OF.get(name) or _OF.get(family)) is None:
        raise PveError(f"only root can set '{name}' config")
    if family == "serial[n]" and value != "socket":
        raise PveError(f"only root can set '{name}' config for real devices")
    if len(privileges) == 1:
        rights.check(f"/vms/{vmid}", *privileges)
    else:
        rights.check_any(f"/vms/{vmid}", *privileges)
    if name == "startup":
        rights.check("/", "Sys.Modify")


def may_change_drive(rights: Rights, vmid: int, value: str) -> None:
    """Raises where the token may not change or detach this drive of a machine that is there."""
    first, rest = forms.drive(value)
    if forms.is_cloud_init(first):
        rights.check(f"/vms/{vmid}", "VM.Config.Cloudinit", "VM.Config.CDROM")
    else:
        rights.check(f"/vms/{vmid}", "VM.Config.CDROM" if rest.get("media") == "cdrom" else "VM.Config.Disk")
