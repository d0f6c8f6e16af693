"""Step 3 of the protocol: the virtual machines. What is already ours is adopted, what is not is never touched."""

from functools import partial

from rebirth.castle import Identity, Machine, Machines, Proxmox, placement
from rebirth.errors import Broken, Differs, NotYet
from rebirth.paths import Paths
from rebirth.phases.bootstrap_kubernetes import ETCD
from rebirth.phases.made import machine_records as records
from rebirth.phases.made.living.machine_sizes import of_sizes, of_the_rest, resize
from rebirth.phases.made.virtual_machines import options
from rebirth.providers.access import ClusterAccess
from rebirth.providers.proxmox import ProxmoxApi, Vm
from rebirth.providers.talos import Talosctl
from rebirth.run.change import Change, How
from rebirth.run.facts import ImageUploaded, LossesSettled, MachinesCreated, Made, OutsideReached
from rebirth.run.journal import Marks, Once
from rebirth.run.waiting import note, together

LAYER = "platform"
PATIENCE = 600  # a thick disk is written whole before it is there
USUALLY = 15
_MARK = "tag of machines"
HINT = "See the tasks of the Proxmox host."


async def create_machines(
    identity: Identity,
    machines: Machines,
    spec: Proxmox,
    paths: Paths,
    proxmox: ProxmoxApi,
    once: Once,
    marks: Marks,
    image: ImageUploaded,
    settled: LossesSettled,
    outside: OutsideReached,
    talosctl: Talosctl,
    access: ClusterAccess,
) -> MachinesCreated:
    """Create the virtual machines."""
    existing = await _machines(spec, proxmox)
    ids = {machine.name: vm.vm_id for machine in machines.nodes if (vm := _ours(machine, existing, spec))}
    for name, vm_id in ids.items():
        note(f"adopted the machine {name} ({vm_id})")
    taken = {vm.vm_id for vm in existing}
    free = (number for number in range(spec.vm_ids.first, spec.vm_ids.last + 1) if number not in taken)
    missing = [machine for machine in machines.nodes if machine.name not in ids]
    if all(machine in missing for machine in machines.control_planes):
        once.forget(ETCD)  # what was bootstrapped before is gone with the machines that held it
    for machine in missing:
        if (number := next(free, None)) is None:
            hint = "Widen proxmox.vm_ids."
            raise Broken("no VM id is free", system="Proxmox", operation="create machine", hint=hint)
        ids[machine.name] = number
    if missing:
        marks.add(_MARK, spec.tag)  # should castle.yaml name another one day
    for machine in missing:
        records.made(paths, machine.name)
    places = placement(machines, spec)

    async def create(machine: Machine) -> None:
        placed, volume = places[machine.name], image.volumes[machine.name]
        wanted = options(identity, machine, machines, spec, placed, volume)
        await proxmox.create(node=placed.node, vm_id=ids[machine.name], options=wanted)

    await together(*map(create, missing))
    await _refuse_other_addresses(machines, _adopted(machines, existing, spec), proxmox)
    await resize(machines, _adopted(machines, existing, spec), proxmox, talosctl, access)
    return MachinesCreated(dict(sorted(ids.items())))


async def changes(machines: Machines, spec: Proxmox, paths: Paths, proxmox: ProxmoxApi) -> list[Change]:
    try:
        ours = _adopted(machines, await proxmox.machines(), spec)
    except Broken as error:  # somebody else's of that name, or this castle's under an earlier tag
        return [Change("machines", How.REFUSED, str(error), "proxmox.tag")]
    there = [machine for machine, _ in ours]
    missing = [_of_missing(machine, paths) for machine in machines.nodes if machine not in there]
    return [*missing, *await of_sizes(machines, ours, proxmox), *await of_the_rest(machines, ours, proxmox)]


def _of_missing(machine: Machine, paths: Paths) -> Change:
    """A new one, or one that was part of the cluster."""
    lost = " anew; create says first what was lost with it" if records.known(paths, machine.name) else ""
    return Change(f"machine {machine.name}", How.NOW, f"is not there, and is made{lost}", "machines")


async def _refuse_other_addresses(machines: Machines, ours: list[tuple[Machine, Vm]], proxmox: ProxmoxApi) -> None:
    """A machine that is asked for where it is not would be waited for in vain."""
    if found := [
        change for change in await of_the_rest(machines, ours, proxmox) if change.setting.endswith(".address")
    ]:
        hint = "Change castle.yaml back, or `rebirth destroy` then `rebirth create`."
        raise Broken("; ".join(map(str, found)), system="Proxmox", operation="adopt machine", hint=hint)


def _adopted(machines: Machines, existing: list[Vm], spec: Proxmox) -> list[tuple[Machine, Vm]]:
    return [(machine, vm) for machine in machines.nodes if (vm := _ours(machine, existing, spec))]


async def found(machines: Machines, spec: Proxmox, proxmox: ProxmoxApi) -> MachinesCreated:
    existing = await proxmox.machines()
    ids = {machine.name: vm.vm_id for machine in machines.nodes if (vm := _ours(machine, existing, spec))}
    if missing := [machine.name for machine in machines.nodes if machine.name not in ids]:
        raise NotYet(f"{', '.join(missing)}: no such machine with the tag {spec.tag}")
    return MachinesCreated(dict(sorted(ids.items())))


async def still(fact: MachinesCreated, machines: Machines, spec: Proxmox, proxmox: ProxmoxApi) -> bool:
    existing = await proxmox.machines()
    there = {vm.name: vm.vm_id for vm in existing if spec.tag in vm.tags}
    if not all(there.get(name) == vm_id for name, vm_id in fact.vm_ids.items()):
        return False
    if changed := await of_sizes(machines, _adopted(machines, existing, spec), proxmox):
        raise Differs("; ".join(map(str, changed)))
    return True


async def undo(spec: Proxmox, proxmox: ProxmoxApi, marks: Marks) -> list[Made]:
    """The machines with the castle's tag, or with one that it had."""
    tags = {spec.tag, *marks.of(_MARK)}
    ours = [vm for vm in await _machines(spec, proxmox) if tags & vm.tags]
    return [Made("machine", vm.name, str(vm.vm_id), partial(_remove, vm, proxmox)) for vm in ours]


async def _remove(vm: Vm, proxmox: ProxmoxApi) -> None:
    if vm.running:
        await proxmox.stop(node=vm.node, vm_id=vm.vm_id)
    await proxmox.delete(node=vm.node, vm_id=vm.vm_id)


async def _machines(spec: Proxmox, proxmox: ProxmoxApi) -> list[Vm]:
    """Raises NotYet while it does not show whose a machine is."""
    found = await proxmox.machines()
    if born := [vm.vm_id for vm in found if vm.lock == "create" and vm.vm_id in spec.vm_ids]:
        # A run that was killed in between may have asked for it: whose it is shows when Proxmox is done.
        raise NotYet(f"Proxmox is still creating the machine {born[0]}")
    return found


def _ours(machine: Machine, existing: list[Vm], spec: Proxmox) -> Vm | None:
    named = [vm for vm in existing if vm.name == machine.name]
    if foreign := [vm for vm in named if spec.tag not in vm.tags]:
        hint = f"Rename one of the two, or give that machine the tag {spec.tag} if this castle may have it."
        tags = ", ".join(sorted(foreign[0].tags)) or "none"
        text = (
            f"a machine named {machine.name} exists ({foreign[0].vm_id} on {foreign[0].node}) and is not this castle's: "
            f"its tags are {tags}"
        )
        raise Broken(text, system="Proxmox", operation="create machine", hint=hint)
    return named[0] if named else None
