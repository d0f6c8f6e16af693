"""Machine configurations: generated, patched and validated by talosctl, and applied to machines in maintenance mode."""

import shutil
from functools import partial
from pathlib import Path

from rebirth.castle import Engine, Identity, Kubernetes, Machine, Machines, Tailscale, Talos
from rebirth.errors import NoAnswer, NotYet
from rebirth.phases.made.machine_patches import patches
from rebirth.place import Place
from rebirth.providers.talos import SCRATCH, Talosctl
from rebirth.run.facts import (
    MachinesBooted,
    MachinesConfigured,
    MachinesCreated,
    Made,
    NamesFreed,
    NodeKeyMinted,
    SecretsResolved,
)
from rebirth.run.waiting import note, together, until

LAYER = "platform"
PATIENCE = 300
UNDO_AFTER = (MachinesCreated,)  # while a machine is there, its credentials are needed
USUALLY = 20


async def configure_machines(
    identity: Identity,
    place: Place,
    machines: Machines,
    talos: Talos,
    kubernetes: Kubernetes,
    tailscale: Tailscale,
    engine: Engine,
    secrets: SecretsResolved,
    talosctl: Talosctl,
    names: NamesFreed,
    node_key: NodeKeyMinted,
    booted: MachinesBooted,
) -> MachinesConfigured:
    """Configure Talos on the machines."""
    await talosctl.ensure_secrets()
    control_planes = [str(machine.address) for machine in machines.control_planes]
    common = {"cluster": identity.name, "endpoint": kubernetes.endpoint, "talos": talos.version}
    await talosctl.write_client_configuration(endpoints=control_planes, **common)

    async def configure(machine: Machine) -> None:
        address = str(machine.address)
        if await talosctl.answers(address=address):
            note(f"{machine.name} was configured before, and is left as it is")
            return
        configuration = await talosctl.generate(
            kind=machine.role,
            kubernetes=kubernetes.version,
            installer=talos.installer,
            patches=patches(place.castle, machine, machines, talos, kubernetes, tailscale, engine, secrets, node_key),
            **common,
        )
        await talosctl.validate(configuration=configuration, machine=machine.name)
        await talosctl.apply(configuration=configuration, address=address, machine=machine.name)

    # A worker that an earlier run configured says nothing until a control plane signs its certificate: asked at the same
    # time, it would end this attempt before the control planes have theirs.
    await together(*map(configure, machines.control_planes))
    await together(*map(configure, machines.workers))
    # A worker's certificate comes from a control plane, so all are asked only after all are configured.
    await together(
        *(
            until(partial(_configured, machine, talosctl), what=f"{machine.name} is configured", every=0.3)
            for machine in machines.nodes
        )
    )
    return MachinesConfigured(tuple(machine.name for machine in machines.nodes))


async def _configured(machine: Machine, talosctl: Talosctl) -> None:
    if not await talosctl.answers(address=str(machine.address)):
        hint = "If the produced credentials of this castle are lost: `rebirth destroy`, and create again."
        raise NotYet("does not answer to this castle's credentials", hint=hint)


async def found(machines: Machines) -> MachinesConfigured:
    return MachinesConfigured(tuple(machine.name for machine in machines.nodes))


async def still(fact: MachinesConfigured, machines: Machines, talosctl: Talosctl) -> bool:
    if not talosctl.has_credentials:
        raise NoAnswer("the castle's talosconfig is not in the produced folder")
    return all(await together(*(talosctl.answers(address=str(machine.address)) for machine in machines.nodes)))


async def undo(place: Place) -> list[Made]:
    """The credentials of the machines."""
    files = (place.talosconfig, place.talos_secrets, place.produced / SCRATCH)
    return [Made("file", str(file), "", partial(_remove, file)) for file in files if file.exists()]


async def _remove(file: Path) -> None:
    if file.is_dir():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)
