"""Each option of a machine takes its own privilege to be set, on the machine's own path."""

import pytest
from proxmoxer import ResourceException

from rebirth.lab.proxmox import Rights, Volume
from rebirth.lab.proxmox.rights import PRIVILEGES

VM = frozenset(name for name in PRIVILEGES if name.startswith("VM."))
REST = {
    "/storage/local-lvm": frozenset({"Datastore.AllocateSpace"}),
    "/storage/local": frozenset({"Datastore.Audit"}),
    "/sdn/zones/localnetwork/vmbr0": frozenset({"SDN.Use"}),
}


@pytest.fixture
async def machine(proxmox, host):
    host.storages["local"].volumes["local:iso/a.iso"] = Volume("iso", 100)
    drives = {"scsi0": "local-lvm:4", "ide2": "local:iso/a.iso,media=cdrom", "ide3": "local-lvm:cloudinit"}
    await proxmox.done(proxmox.node.qemu.post, vmid=800, net0="virtio,bridge=vmbr0", **drives)
    return proxmox.node.qemu(800)


@pytest.mark.parametrize(
    ("change", "privilege"),
    [
        ({"cores": 2}, "VM.Config.CPU"),
        ({"numa0": "cpus=0,memory=512"}, "VM.Config.CPU"),
        ({"memory": 1024}, "VM.Config.Memory"),
        ({"scsihw": "lsi"}, "VM.Config.HWType"),
        ({"serial0": "socket"}, "VM.Config.HWType"),
        ({"name": "two"}, "VM.Config.Options"),
        ({"tags": "a"}, "VM.Config.Options"),
        ({"boot": "order=scsi0"}, "VM.Config.Disk"),
        ({"scsi1": "local-lvm:1"}, "VM.Config.Disk"),
        ({"delete": "scsi0"}, "VM.Config.Disk"),
        ({"net0": "virtio,bridge=vmbr0"}, "VM.Config.Network"),
        ({"ide2": "none,media=cdrom"}, "VM.Config.CDROM"),
        ({"delete": "ide2"}, "VM.Config.CDROM"),
        ({"delete": "ide3"}, "VM.Config.Cloudinit"),
    ],
)
async def test_a_change_takes_its_privilege(proxmox, host, machine, change, privilege):
    host.rights = Rights(REST | {"/vms": VM - {privilege}})
    with pytest.raises(ResourceException, match=rf"Permission check failed \(/vms/800, {privilege}\)"):
        await proxmox.call(machine.config.put, **change)
    host.rights = Rights(REST | {"/vms": VM})
    assert await proxmox.call(machine.config.put, **change) is None


@pytest.mark.parametrize("enough", ["VM.Config.Cloudinit", "VM.Config.Network"])
async def test_cloud_init_takes_either_of_two(proxmox, host, machine, enough):
    change = {"ipconfig0": "ip=dhcp", "nameserver": "192.0.2.53"}
    host.rights = Rights({"/vms": frozenset({"VM.Config.CPU"})})
    with pytest.raises(ResourceException, match=r"\(/vms/800, VM.Config.Cloudinit\|VM.Config.Network\)"):
        await proxmox.call(machine.config.put, **change)
    host.rights = Rights({"/vms": frozenset({enough})})
    assert await proxmox.call(machine.config.put, **change) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"args": "-S"}, "only root can set 'args' config"),
        ({"serial0": "/dev/ttyS0"}, "only root can set 'serial0' config for real devices"),
        ({"startup": "order=1"}, r"\(/, Sys\.Modify\)"),
        ({"net0": "virtio,bridge=vmbr0,tag=7"}, None),
        ({"net0": "virtio,bridge=vmbr1"}, r"\(/sdn/zones/localnetwork/vmbr1, SDN\.Use\)"),
        ({"scsi1": "thick:1"}, r"\(/storage/thick, Datastore\.AllocateSpace\)"),
        ({"ide2": "cdrom,media=cdrom"}, r"\(/, Sys\.Console\)"),
    ],
)
async def test_what_a_machine_touches_takes_rights_too(proxmox, host, machine, change, words):
    host.rights = Rights(REST | {"/vms": VM})
    if words is None:
        assert await proxmox.call(machine.config.put, **change) is None
        return
    with pytest.raises(ResourceException, match=words):
        await proxmox.call(machine.config.put, **change)


async def test_lists_show_what_may_be_seen(proxmox, host, machine):
    host.rights = Rights({"/storage/local": frozenset({"Datastore.Audit"}), "/vms/801": frozenset({"VM.Audit"})})
    node = proxmox.node
    assert await proxmox.call(node.qemu.get) == []
    assert [row["storage"] for row in await proxmox.call(node.storage.get)] == ["local"]
    assert await proxmox.call(node.network.get) == []
    assert [row["type"] for row in await proxmox.call(proxmox.api.cluster.resources.get)] == ["storage", "node"]
    for ask in (machine.config.get, machine.status.current.get, node.status.get, node.storage("thick").status.get):
        with pytest.raises(ResourceException) as refused:
            await proxmox.call(ask)
        assert refused.value.status_code == 403


async def test_a_disk_of_another_machine(proxmox, host, machine):
    host.rights = Rights(REST | {"/vms": VM - {"VM.Config.Disk"}, "/vms/801": VM})
    await proxmox.done(proxmox.node.qemu.post, vmid=801)
    with pytest.raises(ResourceException, match=r"\(/storage/local-lvm, Datastore\.Audit\)"):
        await proxmox.call(proxmox.node.qemu(801).config.put, scsi0="local-lvm:vm-800-disk-0")
