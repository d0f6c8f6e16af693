"""What is asked of Proxmox for a machine: each thing that castle.yaml can say, taken by the stand-in as the published schema has it."""

import pytest

from rebirth.castle import Identity, Machine, placement
from rebirth.errors import Broken
from rebirth.lab.proxmox import Rights, Storage
from rebirth.lab.proxmox_host import least_rights
from rebirth.phases.made.virtual_machines import needs, options, wwn

CASES = [
    ({"vlan": 20, "mtu": 1, "firewall": True}, "net0", ",bridge=vmbr0,firewall=1,mtu=1,tag=20"),
    ({"firewall": False}, "net0", ",firewall=0"),
    ({"bridge": "vmbr1"}, "net0", ",bridge=vmbr1"),
    ({"interfaces": [{"bridge": "vmbr1", "vlan": 30, "address": "10.9.0.5"}]}, "net1", ",bridge=vmbr1,tag=30"),
    ({"interfaces": [{"bridge": "vmbr1", "address": "10.9.0.5"}]}, "ipconfig1", "ip=10.9.0.5/24"),
    ({"interfaces": [{"bridge": "vmbr1", "mac": "02:00:00:00:00:0a"}]}, "net1", "virtio=02:00:00:00:00:0A,"),
    ({"disk": {"discard": True, "ssd": True, "iothread": True}}, "scsi0", ",discard=on,iothread=1,"),
    ({"disk": {"cache": "writeback", "aio": "threads", "backup": False, "replicate": False}}, "scsi0", ",aio=threads,backup=0,cache=writeback,"),
    ({"disks": [{"name": "longhorn", "size_gib": 200}]}, "scsi1", "local-lvm:vm-800-disk-1,size=200G,wwn=0x5"),
    ({"disks": [{"name": "ceph", "size_gib": 1, "storage": "fast", "ssd": True}]}, "scsi1", "fast:vm-800-disk-0,size=1G,ssd=1,"),
    ({"agent": True}, "agent", "1"),
    ({"cpu": {"type": "x86-64-v2-AES"}}, "cpu", "x86-64-v2-AES"),
    ({"cpu": {"sockets": 2}}, "sockets", "2"),
    ({"cpu": {"numa": True}}, "numa", "1"),
    ({"cpu": {"limit": 1.5}}, "cpulimit", "1.5"),
    ({"cpu": {"units": 200}}, "cpuunits", "200"),
    ({"balloon_mib": 0}, "balloon", "0"),
    ({"machine_type": "q35"}, "machine", "q35"),
    ({"firmware": "uefi"}, "bios", "ovmf"),
    ({"firmware": "uefi"}, "efidisk0", "local-lvm:vm-800-disk-1,efitype=4m,pre-enrolled-keys=0,size=4M"),
    ({"tpm": True}, "tpmstate0", "local-lvm:vm-800-disk-1,size=4M,version=v2.0"),
    ({"serial_console": True}, "serial0", "socket"),
    ({"machine_type": "q35", "pci": [{"mapping": "gpu", "primary_gpu": True, "rom_bar": False}]}, "hostpci0", "mapping=gpu,pcie=1,x-vga=1,rombar=0"),
    ({"pci": [{"mapping": "gpu", "pcie": False}]}, "hostpci0", "mapping=gpu"),
    ({"start_on_boot": False}, "onboot", "0"),
    ({"startup": {"order": 2, "up_seconds": 30}}, "startup", "order=2,up=30"),
    ({"protection": True}, "protection", "1"),
    ({"tags": ["zone-a"]}, "tags", "castle-tazlab-k8s;zone-a"),
]  # fmt: skip


@pytest.fixture
def made(outside):
    """`await made(hardware)`: the configuration of a machine with it, by a token that has what the castle needs and no more."""
    outside.pve.storages["fast"] = Storage(frozenset({"images"}))
    outside.pve.bridges = frozenset({"vmbr0", "vmbr1"})
    outside.pve.pools, outside.pve.mappings = frozenset({"talos"}), frozenset({"gpu"})

    async def make(hardware):
        machine = Machine.model_validate(
            {"name": "one", "role": "controlplane", "address": "192.168.50.9", "cores": 2, "memory_mib": 2048, "disk_gib": 10} | hardware,
            strict=False,
        )  # fmt: skip
        spec = outside.castle.proxmox
        machines = outside.castle.machines.model_copy(update={"nodes": [machine]})
        castle = outside.castle.model_copy(update={"machines": machines})
        outside.pve.rights = Rights(least_rights(castle))
        wanted = needs(machines, spec)
        assert await outside.proxmox.lacks(wanted) == []
        await outside.proxmox.offers(wanted)
        place = placement(machines, spec)["one"]
        asked = options(Identity(name="c"), machine, machines, spec, place, "none")
        await outside.proxmox.create(node="pve", vm_id=800, options=asked)
        return outside.pve.machines[800]

    return make


@pytest.mark.parametrize(
    ("hardware", "option", "value"), CASES, ids=[f"{option}-{n}" for n, (_, option, _) in enumerate(CASES)]
)
async def test_what_castle_yaml_says_is_asked_for(made, hardware, option, value):
    assert value in str((await made(hardware))[option])


async def test_nothing_more_is_asked_for_than_is_said(made):
    assert not (await made({})).keys() & {
        "net1", "scsi1", "agent", "numa", "sockets", "balloon", "machine", "bios", "efidisk0", "tpmstate0", "startup", "protection",
        "hostpci0", "serial0", "pool", "cpulimit", "cpuunits",
    }  # fmt: skip


async def test_a_pool_and_high_availability(made):
    await made({"pool": "talos", "high_availability": True})


async def test_a_pool_that_is_not_there(made):
    with pytest.raises(Broken, match="pool 'others' does not exist"):
        await made({"pool": "others"})


async def test_a_protected_machine_is_not_removed(outside, made):
    await made({"protection": True})
    outside.pve.rights = Rights()
    with pytest.raises(Broken, match="protection mode enabled"):
        await outside.proxmox.delete(node="pve", vm_id=800)


@pytest.mark.parametrize(
    ("hardware", "path", "privilege"),
    [
        ({"vlan": 20}, "/sdn/zones/localnetwork/vmbr0/20", "SDN.Use"),
        ({"pci": [{"mapping": "gpu", "pcie": False}]}, "/mapping/pci/gpu", "Mapping.Use"),
        ({"startup": {"order": 1}}, "/", "Sys.Modify"),
        ({"high_availability": True}, "/", "Sys.Console"),
        ({"disks": [{"name": "a", "size_gib": 1, "storage": "fast"}]}, "/storage/fast", "Datastore.AllocateSpace"),
    ],
)
async def test_the_right_that_it_takes_is_needed_and_asked_for(outside, made, hardware, path, privilege):
    await made(hardware)
    given = dict(outside.pve.rights.given)
    machines = outside.castle.machines
    machine = (
        machines.nodes[0].model_copy(update={}).model_validate(machines.nodes[0].model_dump() | hardware, strict=False)
    )
    one = machines.model_copy(update={"nodes": [machine]})
    outside.pve.rights = Rights(given | {path: given[path] - {privilege}})
    assert f"{privilege} on {path}" in await outside.proxmox.lacks(needs(one, outside.castle.proxmox))


def test_disks_have_names_that_stay_and_differ(outside):
    castle, machine = Identity(name="c"), outside.castle.machines.nodes[0]
    assert wwn(castle, machine, "a") == wwn(castle, machine, "a") != wwn(castle, machine, "b")
    assert wwn(castle, machine, "a").startswith("0x5")
    assert len(wwn(castle, machine, "a")) == 18
