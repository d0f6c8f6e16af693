"""What a castle asks of Proxmox for each of its machines: the options of `qm create`."""

from rebirth.castle import Identity, Machine, Machines, Proxmox
from rebirth.run.facts import ImageUploaded

Options = dict[str, str | int]


def options(identity: Identity, machine: Machine, machines: Machines, spec: Proxmox, image: ImageUploaded) -> Options:
    """A machine that boots the image while its disk is empty."""
    return {
        "name": machine.name,
        "cores": machine.cores,
        "memory": machine.memory_mib,
        "cpu": "host",
        "ostype": "l26",
        "scsihw": "virtio-scsi-single",
        "scsi0": f"{spec.disk_storage}:{machine.disk_gib}",
        "ide2": f"{image.volume},media=cdrom",
        "boot": "order=scsi0;ide2",
        "net0": f"virtio={machine.mac_address(identity.name).upper()},bridge={spec.bridge}",
        "onboot": 1,
        "tags": spec.tag,
        "description": "Made by rebirth; removed by `rebirth destroy`.",
        **(_cloud_init(machine, machines, spec) if machines.addressing == "cloud-init" else {}),
    }


def _cloud_init(machine: Machine, machines: Machines, spec: Proxmox) -> Options:
    """A drive from which Talos' nocloud image has its address before it has a configuration. It goes with the machine."""
    return {
        "ide0": f"{spec.disk_storage}:cloudinit",
        "citype": "nocloud",
        "ipconfig0": f"ip={machine.address}/{machines.network.prefixlen},gw={machines.gateway}",
        "nameserver": " ".join(map(str, machines.nameservers)),
    }
