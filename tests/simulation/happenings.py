"""What happens to the world itself, while nobody answers wrongly."""

from collections.abc import Callable

from simulation.machines import Machine
from simulation.world import World


def happen(world: World, kind: str) -> None:
    """One of the events of `faults.EVENTS`; it is over after at most two minutes."""
    world.host.note(f"HAPPENS {kind}")
    _ALL[kind](world)


def _vault_sealed(world: World) -> None:
    world.vault.sealed = True
    world.later(world.draw.uniform(10, 110), lambda: setattr(world.vault, "sealed", False))


def _restarted(world: World) -> None:
    world.restart_api(world.draw.uniform(2, 30))


def _tokens(world: World) -> None:
    world.tailnet._grants.clear()


def _clock(hours: float) -> Callable[[World], None]:
    def set_wrong(world: World) -> None:
        world.host.skew = hours * 3600
        world.later(100, lambda: setattr(world.host, "skew", 0.0))

    return set_wrong


def _machine(world: World, role: str) -> Machine | None:
    return next(iter(world.yard.up(role)), None)


def _rebooted(role: str) -> Callable[[World], None]:
    def reboot(world: World) -> None:
        if (machine := _machine(world, role)) is not None:
            machine.state, machine.life = "off", machine.life + 1
            world.yard._leave(machine)
            if world.cluster and role == "controlplane":
                world.cluster.changes.end()
            world.later(
                world.draw.uniform(1, 40), lambda: world.yard._boot(machine) if machine.state == "off" else None
            )

    return reboot


def _lost(world: World) -> None:
    """A disk and all that was on it."""
    if (machine := _machine(world, "worker")) is not None:
        vmid = machine.vm.vmid
        world.yard._leave(machine)
        machine.life += 1
        world.pve.machines.pop(vmid), world.pve.conditions.pop(vmid), world.yard.machines.pop(vmid)
        for storage in world.pve.storages.values():
            for name in [name for name, volume in storage.volumes.items() if volume.vmid == vmid]:
                del storage.volumes[name]


def _full(world: World) -> None:
    storage = world.pve.storages["local"]
    total, storage.total = storage.total, 0
    world.later(world.draw.uniform(5, 100), lambda: setattr(storage, "total", total))


_ALL = {
    "vault sealed": _vault_sealed,
    "api server restarted": _restarted,
    "tokens expired": _tokens,
    "clock an hour on": _clock(1.0),
    "clock an hour back": _clock(-1.0),
    "worker rebooted": _rebooted("worker"),
    "control plane rebooted": _rebooted("controlplane"),
    "worker lost": _lost,
    "disk full": _full,
}
