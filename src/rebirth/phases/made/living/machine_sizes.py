"""Cores and memory of machines that are there already: changed one machine after the other, each by a restart."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

from rebirth.castle import Machine, Machines
from rebirth.phases.made.living.health import boot_of, booted_again, healthy
from rebirth.providers.access import ClusterAccess
from rebirth.providers.proxmox import ProxmoxApi, Vm
from rebirth.providers.talos import Talosctl
from rebirth.run.change import Change, How
from rebirth.run.waiting import note, together, until

_OBEYS = 120  # seconds that a machine has to shut down


async def of_sizes(machines: Machines, ours: Sequence[tuple[Machine, Vm]], proxmox: ProxmoxApi) -> list[Change]:
    """What castle.yaml says otherwise of the machines, each with the virtual machine that it is."""
    changed = [(machine, vm) for machine, vm in ours if _differs(machine, vm)]
    if not changed:
        return []
    there, memory = await proxmox.machines(), await proxmox.memory()
    return [_change(machine, vm, machines, there, memory) for machine, vm in changed]


def _differs(machine: Machine, vm: Vm) -> bool:
    return (vm.cores, vm.memory_mib) != (machine.cores, machine.memory_mib)


def _change(machine: Machine, vm: Vm, machines: Machines, there: Sequence[Vm], memory: dict[str, int]) -> Change:
    what = f"machine {machine.name}"
    said = [
        f"{old} {unit} become {new}"
        for old, new, unit in (
            (vm.cores, machine.cores, "cores"),
            (vm.memory_mib, machine.memory_mib, "MiB of memory"),
        )
        if old != new
    ]
    setting = f"machines.nodes[{machines.nodes.index(machine)}]"
    others = sum(one.memory_mib for one in there if one.running and one.node == vm.node and one.vm_id != vm.vm_id)
    has = memory.get(vm.node)
    if has is not None and vm.memory_mib < machine.memory_mib > has - others:
        text = f"{', '.join(said)}: the node {vm.node} has {has} MiB, of which {others} are its other machines'"
        return Change(what, How.REFUSED, text, setting)
    return Change(what, How.REBOOT if vm.running else How.NOW, ", ".join(said), setting)


async def of_the_rest(machines: Machines, ours: Sequence[tuple[Machine, Vm]], proxmox: ProxmoxApi) -> list[Change]:
    """What was made for good: its disk, and the address that its drive gave it."""
    made = await together(*(proxmox.options(node=vm.node, vm_id=vm.vm_id) for _, vm in ours))
    found = []
    for (machine, _), options in zip(ours, made, strict=True):
        what, setting = f"machine {machine.name}", f"machines.nodes[{machines.nodes.index(machine)}]"
        if (size := _gib(options.get("scsi0", ""))) is not None and size != machine.disk_gib:
            text = f"its disk has {size} GiB, and {machine.disk_gib} are wanted: it stays as it was made"
            found.append(Change(what, How.REBIRTH, text, f"{setting}.disk_gib"))
        if (address := address_of(options)) not in {None, str(machine.address)}:
            text = f"it was made with the address {address}, and etcd, certificates and its node have that"
            found.append(Change(what, How.REBIRTH, text, f"{setting}.address"))
    return found


def address_of(options: Mapping[str, str]) -> str | None:
    """That of a machine's cloud-init drive; None where it has none."""
    found = re.search(r"(?:^|,)ip=([^/,]+)/", options.get("ipconfig0", ""))
    return found[1] if found else None


def _gib(drive: str) -> int | None:
    found = re.search(r"(?:^|,)size=(\d+)([GT])\b", drive)
    return int(found[1]) << (10 if found[2] == "T" else 0) if found else None


async def resize(
    machines: Machines,
    ours: Sequence[tuple[Machine, Vm]],
    proxmox: ProxmoxApi,
    talosctl: Talosctl,
    access: ClusterAccess,
) -> None:
    """Gives the machines the sizes of castle.yaml, control planes first; what cannot be done is told, and left."""
    refused = {change.what for change in await of_sizes(machines, ours, proxmox) if not change.how.is_done}
    for machine, vm in sorted(ours, key=lambda pair: pair[0].role != "controlplane"):
        if not _differs(machine, vm):
            continue
        if f"machine {machine.name}" in refused:
            note(f"{machine.name} keeps {vm.cores} cores and {vm.memory_mib} MiB: its node has too little memory")
            continue
        await _resize(machine, vm, machines, proxmox, talosctl, access)


async def _resize(
    machine: Machine, vm: Vm, machines: Machines, proxmox: ProxmoxApi, talosctl: Talosctl, access: ClusterAccess
) -> None:
    check = partial(healthy, machines, talosctl, access)
    sizes = {"cores": machine.cores, "memory": machine.memory_mib}
    if not vm.running:
        await proxmox.configure(node=vm.node, vm_id=vm.vm_id, options=sizes)
        return
    await until(check, what=f"the cluster can do without {machine.name}", every=2, slowest=10)
    before = await boot_of(machine, talosctl, access) if await talosctl.answers(address=str(machine.address)) else None
    await proxmox.configure(node=vm.node, vm_id=vm.vm_id, options=sizes)
    note(f"{machine.name} restarts with {machine.cores} cores and {machine.memory_mib} MiB")
    await proxmox.shut_down(node=vm.node, vm_id=vm.vm_id, seconds=_OBEYS)
    await proxmox.start(node=vm.node, vm_id=vm.vm_id)

    if before is None:  # it has no configuration of this castle yet: whether it comes back, others wait for
        return
    again = partial(booted_again, before, machine, talosctl, access)
    await until(again, what=f"{machine.name} has booted again", every=2, slowest=5)
    await until(check, what=f"the cluster is well again after {machine.name}", every=2, slowest=10)
