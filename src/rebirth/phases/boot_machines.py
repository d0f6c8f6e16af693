"""The machines run, and answer on the Talos API's port."""

from functools import partial

from rebirth.castle import Machines
from rebirth.errors import NotYet
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import MachinesBooted, MachinesCreated
from rebirth.run.waiting import together, until

LAYER = "platform"
PATIENCE = 600  # kernel and initramfs are read from the image: minutes from a slow disk, for several machines at once
USUALLY = 40
HINT = "See the machine's console in Proxmox: does it boot Talos, and has it the address of castle.yaml?"


async def boot_machines(
    machines: Machines, proxmox: ProxmoxApi, talosctl: Talosctl, created: MachinesCreated
) -> MachinesBooted:
    """Boot the machines."""
    there = {vm.vm_id: vm for vm in await proxmox.machines()}
    if gone := [name for name, vm_id in created.vm_ids.items() if vm_id not in there]:
        raise NotYet(f"{', '.join(gone)}: no online node has this machine")
    ours = [there[vm_id] for vm_id in created.vm_ids.values()]
    await together(*(proxmox.start(node=vm.node, vm_id=vm.vm_id) for vm in ours if not vm.running))
    await together(
        *(
            until(
                partial(talosctl.listens, address=str(machine.address)),
                what=f"{machine.name} answers",
                every=0.25,
                slowest=3,
            )
            for machine in machines.nodes
        )
    )
    return MachinesBooted(created.vm_ids)


async def found(created: MachinesCreated) -> MachinesBooted:
    return MachinesBooted(created.vm_ids)


async def still(fact: MachinesBooted, proxmox: ProxmoxApi) -> bool:
    running = {vm.vm_id for vm in await proxmox.machines() if vm.running}
    return set(fact.vm_ids.values()) <= running
