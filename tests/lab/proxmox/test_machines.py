"""Virtual machines of the stood-in Proxmox, driven by proxmoxer."""

import asyncio
import re

import pytest
from proxmoxer import ResourceException

from rebirth.lab.proxmox import Volume

OPTIONS = {
    "vmid": 800,
    "name": "lushycorp-k8s",
    "cores": 4,
    "memory": 8192,
    "cpu": "host",
    "ostype": "l26",
    "machine": "q35",
    "bios": "ovmf",
    "efidisk0": "local-lvm:1,efitype=4m,pre-enrolled-keys=0",
    "scsihw": "virtio-scsi-single",
    "scsi0": "local-lvm:40,iothread=1,discard=on,ssd=1",
    "ide2": "local:iso/talos.iso,media=cdrom",
    "boot": "order=scsi0;ide2",
    "net0": "virtio,bridge=vmbr0,tag=7",
    "serial0": "socket",
    "agent": "enabled=1",
    "onboot": 1,
    "tags": "Talos;castle-tazlab-k8s",
    "description": "made by a test",
}
PLAIN = {"vmid": 800, "scsi0": "local-lvm:4", "net0": "virtio,bridge=vmbr0"}


@pytest.fixture
def image(host):
    for name in ("talos", "with-cloudinit"):
        host.storages["local"].volumes[f"local:iso/{name}.iso"] = Volume("iso", 100)


def refusal(error) -> tuple[int, dict]:
    return error.value.status_code, error.value.errors


@pytest.mark.usefixtures("image")
async def test_a_machine_from_creation_to_removal(proxmox, host, hypervisor):
    upid = await proxmox.call(proxmox.node.qemu.post, **OPTIONS)
    assert re.fullmatch(r"UPID:pve:[0-9A-F]{8}:[0-9A-F]{8}:[0-9A-F]{8}:qmcreate:800:castle@pve!rebirth:", upid)
    assert await proxmox.ended(upid) == "OK"

    vm = proxmox.node.qemu(800)
    config = await proxmox.call(vm.config.get)
    assert config["scsi0"] == "local-lvm:vm-800-disk-1,discard=on,iothread=1,size=40G,ssd=1"
    assert re.fullmatch(r"virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0,tag=7", config["net0"])
    assert (config["cores"], config["tags"], len(config["digest"])) == (4, "castle-tazlab-k8s;talos", 40)
    assert (await proxmox.call(vm.status.current.get))["status"] == "stopped"

    assert await proxmox.done(vm.status.start.post) == "OK"
    shown = await proxmox.call(vm.status.current.get)
    assert (shown["status"], shown["cpus"], shown["maxmem"], shown["maxdisk"]) == ("running", 4, 8 << 30, 40 << 30)
    machine = hypervisor.started[800]
    assert (machine.name, machine.cores, machine.memory_mib, machine.disk_gib) == ("lushycorp-k8s", 4, 8192, 40)
    assert (machine.bridge, machine.boot_image) == ("vmbr0", "local:iso/talos.iso")
    assert config["net0"].lower().startswith(f"virtio={machine.mac}")

    with pytest.raises(ResourceException) as running:
        await proxmox.call(vm.delete)
    assert running.value.status_code == 500
    assert await proxmox.done(vm.status.stop.post) == "OK"
    assert await proxmox.done(vm.delete, purge=1, **{"destroy-unreferenced-disks": 1}) == "OK"
    assert (hypervisor.destroyed, host.machines, host.storages["local-lvm"].volumes) == ([800], {}, {})
    with pytest.raises(ResourceException):
        await proxmox.call(vm.config.get)


@pytest.mark.usefixtures("outside_the_schema")
async def test_unknown_parameters_are_refused_as_proxmox_does(proxmox, host):
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.node.qemu.post, **PLAIN, foo="bar", scsi99="x", net32="virtio")
    status, errors = refusal(refused)
    assert (status, sorted(errors)) == (400, ["foo", "net32", "scsi99"])
    assert errors["foo"] == "property is not defined in schema and the schema does not allow additional properties"
    assert host.machines == {}


@pytest.mark.usefixtures("outside_the_schema")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cores", "many"),
        ("cores", 0),
        ("memory", -1),
        ("onboot", "maybe"),
        ("bios", "openfirmware"),
        ("name", "not a name"),
        ("net0", "bridge=vmbr0"),
        ("net0", "virtio=nonsense,bridge=vmbr0"),
        ("net0", "virtio,brigde=vmbr0"),
        ("scsi0", "40G"),
        ("scsi0", "local-lvm:4,iothreads=1"),
        ("boot", "order=floppy0"),
        ("tags", "ä"),
        ("vmid", 99),
    ],
)
async def test_malformed_values_are_refused(proxmox, host, name, value):
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.node.qemu.post, **PLAIN | {name: value})
    status, errors = refusal(refused)
    assert (status, list(errors), host.machines) == (400, [name], {})


@pytest.mark.usefixtures("outside_the_schema")
async def test_an_id_that_is_missing(proxmox):
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.node.qemu.post, name="x")
    assert refusal(refused) == (400, {"vmid": "property is missing and it is not optional"})


async def test_an_id_is_taken_from_the_first_answer_on(proxmox, host):
    async def create(name):
        return await proxmox.done(proxmox.node.qemu.post, **PLAIN, name=name)

    results = await asyncio.gather(create("first"), create("second"), return_exceptions=True)
    assert sorted(str(result)[:3] for result in results) == ["500", "OK"]
    assert len(host.storages["local-lvm"].volumes) == 1


@pytest.mark.parametrize(
    ("drive", "words"),
    [
        ("local:iso/other.iso,media=cdrom", "unable to create VM 800 - volume 'local:iso/other.iso' does not exist"),
        (
            "thick:101",
            "unable to create VM 800 - lvcreate error: insufficient free space (25600 extents): 25856 required.",
        ),
    ],
)
async def test_a_creation_that_fails_in_its_task_leaves_nothing(proxmox, host, drive, words):
    assert await proxmox.done(proxmox.node.qemu.post, **PLAIN, scsi1=drive) == words
    assert (host.machines, host.conditions) == ({}, {})
    assert not any(storage.volumes for storage in host.storages.values())


@pytest.mark.usefixtures("outside_the_schema")
@pytest.mark.parametrize(("storage", "status"), [("local", 400), ("nowhere", 500)])
async def test_storages_that_can_hold_no_disk(proxmox, storage, status):
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.node.qemu.post, **PLAIN | {"scsi0": f"{storage}:4"})
    assert refused.value.status_code == status


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize(
    ("options", "boots"),
    [
        ({"ide2": "local:iso/talos.iso,media=cdrom", "boot": "order=scsi0;ide2"}, True),
        ({"ide2": "local:iso/talos.iso,media=cdrom"}, True),
        ({"ide2": "local:iso/talos.iso,media=cdrom", "boot": "order=scsi0"}, False),
        ({"ide2": "local:iso/with-cloudinit.iso,media=cdrom", "boot": "order=ide2"}, True),
        ({"ide2": "none,media=cdrom", "boot": "order=scsi0;ide2"}, False),
        (
            {"ide1": "local-lvm:cloudinit", "ide2": "local:iso/talos.iso,media=cdrom"},
            False,
        ),  # the first CD is not the image
        ({}, False),
    ],
)
async def test_a_machine_with_nothing_to_boot_is_switched_on_and_does_nothing(proxmox, hypervisor, options, boots):
    assert await proxmox.done(proxmox.node.qemu.post, **PLAIN, **options, start=1) == "OK"
    vm = proxmox.node.qemu(800)
    assert (await proxmox.call(vm.status.current.get))["status"] == "running"
    assert (800 in hypervisor.started) is boots
    assert await proxmox.done(vm.status.stop.post) == "OK"
    assert (await proxmox.call(vm.status.current.get))["status"] == "stopped"


async def test_a_disk_made_from_an_imported_image_boots_it(proxmox, host, hypervisor):
    host.storages["local"].volumes["local:import/metal-amd64.raw"] = Volume("import", 4 << 30)
    disk = "local-lvm:0,import-from=local:import/metal-amd64.raw"
    assert await proxmox.done(proxmox.node.qemu.post, **PLAIN | {"scsi0": disk}, start=1) == "OK"
    assert hypervisor.started[800].boot_image == "local:import/metal-amd64.raw"
    assert (await proxmox.call(proxmox.node.qemu(800).config.get))["scsi0"] == "local-lvm:vm-800-disk-0,size=4G"


@pytest.mark.usefixtures("outside_the_schema")
async def test_switching(proxmox, hypervisor):
    hypervisor.written.add(800)
    await proxmox.done(proxmox.node.qemu.post, **PLAIN)
    status = proxmox.node.qemu(800).status
    assert await proxmox.done(status.stop.post) == "OK", "off is off"
    with pytest.raises(ResourceException):
        await proxmox.call(status.reboot.post)
    assert await proxmox.done(status.start.post) == "OK"
    assert await proxmox.done(status.start.post) == "VM 800 already running"
    assert await proxmox.done(status.reboot.post, timeout=10) == "OK"
    assert await proxmox.done(status.shutdown.post, timeout=10, forceStop=1) == "OK"
    assert hypervisor.started == {}
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(status("explode").post)
    assert refused.value.status_code == 501


async def test_a_bridge_that_is_not_there(proxmox):
    await proxmox.done(proxmox.node.qemu.post, **PLAIN | {"net0": "virtio,bridge=vmbr9"})
    assert await proxmox.done(proxmox.node.qemu(800).status.start.post) == "bridge 'vmbr9' does not exist"


@pytest.mark.usefixtures("image")
async def test_changes_of_a_configuration(proxmox, host):
    await proxmox.done(proxmox.node.qemu.post, **PLAIN, ide2="local:iso/talos.iso,media=cdrom", protection=1)
    config = proxmox.node.qemu(800).config
    before = await proxmox.call(config.get)
    assert await proxmox.call(config.put, cores=2, tags="b,a", delete="ide2", digest=before["digest"]) is None
    now = await proxmox.call(config.get)
    assert (now["cores"], now["tags"], "ide2" in now) == (2, "a;b", False)
    with pytest.raises(ResourceException):
        await proxmox.call(config.put, cores=3, digest=before["digest"])
    assert await proxmox.done(config.post, scsi1="local-lvm:8") == "OK"
    await proxmox.call(config.put, delete="scsi1")
    assert (await proxmox.call(config.get))["unused0"] == "local-lvm:vm-800-disk-1"
    assert await proxmox.done(proxmox.node.qemu(800).resize.put, disk="scsi0", size="+6G") == "OK"
    assert (await proxmox.call(config.get))["scsi0"].endswith("size=10G")

    with pytest.raises(ResourceException):
        await proxmox.call(proxmox.node.qemu(800).delete)
    await proxmox.call(config.put, protection=0)
    assert await proxmox.done(proxmox.node.qemu(800).delete) == "OK"
    assert host.storages["local-lvm"].volumes == {}


@pytest.mark.usefixtures("outside_the_schema")
async def test_lists_and_free_ids(proxmox):
    assert await proxmox.call(proxmox.api.cluster.nextid.get) == "100"
    for vmid in (100, 800):
        await proxmox.done(proxmox.node.qemu.post, **PLAIN | {"vmid": vmid}, name=f"vm{vmid}", tags="ours")
    assert await proxmox.call(proxmox.api.cluster.nextid.get) == "101"
    assert await proxmox.call(proxmox.api.cluster.nextid.get, vmid=801) == "801"
    with pytest.raises(ResourceException) as taken:
        await proxmox.call(proxmox.api.cluster.nextid.get, vmid=800)
    assert refusal(taken) == (400, {"vmid": "VM 800 already exists"})
    rows = await proxmox.call(proxmox.node.qemu.get)
    assert [(row["vmid"], row["name"], row["status"], row["tags"]) for row in rows] == [
        (100, "vm100", "stopped", "ours"),
        (800, "vm800", "stopped", "ours"),
    ]
    found = await proxmox.call(proxmox.api.cluster.resources.get, type="vm")
    assert [(row["id"], row["type"], row["node"], row["vmid"]) for row in found] == [
        ("qemu/100", "qemu", "pve", 100),
        ("qemu/800", "qemu", "pve", 800),
    ]


async def test_the_guest_agent(proxmox, hypervisor):
    hypervisor.written.add(800)
    await proxmox.done(proxmox.node.qemu.post, **PLAIN, agent="1", start=1)
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.node.qemu(800).agent("network-get-interfaces").get)
    assert refused.value.status_code == 500
