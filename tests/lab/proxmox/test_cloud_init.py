"""Network cards and cloud-init drives: what is given is kept, what is not is made, and the hypervisor is told of both."""

import re

from rebirth.lab.proxmox.hypervisor import CloudInit

SEED = {
    "vmid": 800,
    "name": "one",
    "scsi0": "local-lvm:4",
    "ide2": "local-lvm:cloudinit",
    "ipconfig0": "ip=192.0.2.10/24,gw=192.0.2.1",
    "ipconfig1": "ip=dhcp",
    "nameserver": "192.0.2.53 192.0.2.54",
    "searchdomain": "lan.example",
    "ciuser": "somebody",
    "cipassword": "a-password",
    "sshkeys": "ssh-ed25519%20AAAA",
}


async def test_a_mac_address_that_is_given_is_kept(proxmox, hypervisor):
    hypervisor.written.add(800)
    cards = {
        "net0": "virtio=bc:24:11:c0:ff:ee,bridge=vmbr0",
        "net1": "model=e1000,bridge=vmbr0,macaddr=BC:24:11:00:00:02",
        "net2": "bridge=vmbr0,model=virtio",
    }
    assert await proxmox.done(proxmox.node.qemu.post, vmid=800, **cards, start=1) == "OK"
    config = await proxmox.call(proxmox.node.qemu(800).config.get)
    assert config["net0"] == "virtio=BC:24:11:C0:FF:EE,bridge=vmbr0"
    assert config["net1"] == "e1000=BC:24:11:00:00:02,bridge=vmbr0"
    assert re.fullmatch(r"virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0", config["net2"])
    assert hypervisor.started[800].mac == "bc:24:11:c0:ff:ee"
    assert hypervisor.started[800].more_macs[0] == "bc:24:11:00:00:02"
    assert hypervisor.started[800].cloud_init is None


async def test_a_drive_tells_the_machine_what_it_is(proxmox, host, hypervisor):
    hypervisor.written.add(800)
    assert await proxmox.done(proxmox.node.qemu.post, **SEED, start=1) == "OK"
    config = await proxmox.call(proxmox.node.qemu(800).config.get)
    assert (config["ide2"], config["cipassword"]) == ("local-lvm:vm-800-cloudinit,media=cdrom", "**********")
    assert host.storages["local-lvm"].volumes["local-lvm:vm-800-cloudinit"].size == 4 << 20
    machine = hypervisor.started[800]
    assert machine.boot_image is None
    assert machine.cloud_init == CloudInit(
        "one",
        addresses=({"ip": "192.0.2.10/24", "gw": "192.0.2.1"}, {"ip": "dhcp"}),
        nameservers=("192.0.2.53", "192.0.2.54"),
        search_domain="lan.example",
        user="somebody",
        ssh_keys="ssh-ed25519%20AAAA",
    )


async def test_a_drive_goes_with_its_removal(proxmox, host):
    await proxmox.done(proxmox.node.qemu.post, **SEED)
    await proxmox.call(proxmox.node.qemu(800).config.put, delete="ide2")
    assert list(host.storages["local-lvm"].volumes) == ["local-lvm:vm-800-disk-0"]
    assert "unused0" not in await proxmox.call(proxmox.node.qemu(800).config.get)
    assert await proxmox.done(proxmox.node.qemu(800).delete) == "OK"
    assert host.storages["local-lvm"].volumes == {}
