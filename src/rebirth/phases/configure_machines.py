"""Machine configurations: generated, patched and validated by talosctl, and applied to machines in maintenance mode."""

import shutil
from functools import partial
from pathlib import Path

from rebirth.castle import (
    ClusterDns,
    DataPath,
    Existing,
    Identity,
    Kubernetes,
    Machine,
    Machines,
    NodeKey,
    RegistryLogins,
    Talos,
    host_of,
)
from rebirth.errors import Broken, NoAnswer, NotYet
from rebirth.paths import Paths
from rebirth.phases.made import machine_records as records
from rebirth.phases.made.machine_patches import Wanted
from rebirth.phases.made.who_answers import identified
from rebirth.phases.mint_node_key import SENT
from rebirth.providers.talos import SCRATCH, TRUSTD_PORT, Talosctl
from rebirth.run.facts import (
    LossesSettled,
    MachinesBooted,
    MachinesConfigured,
    MachinesCreated,
    Made,
    NamesFreed,
    NodeKeyMinted,
    SecretsResolved,
)
from rebirth.run.journal import Marks
from rebirth.run.waiting import note, together, until

LAYER = "platform"
# Each machine pulls Talos' installer (200 to 400 MB) and writes it to its disk before it reboots. On a line of 20 Mbit/s that
# several machines share this is ten minutes, on a slow disk as many again.
PATIENCE = 1800
UNDO_AFTER = (MachinesCreated, MachinesBooted)  # while a machine is there, its credentials are needed
USUALLY = 20
HINT = "The machine's console, and `talosctl dmesg`, say what it is doing."


async def configure_machines(
    identity: Identity,
    paths: Paths,
    machines: Machines,
    existing: Existing | None,
    talos: Talos,
    kubernetes: Kubernetes,
    volumes: DataPath | None,
    dns: ClusterDns,
    node_key: NodeKey | None,
    logins: RegistryLogins,
    secrets: SecretsResolved,
    talosctl: Talosctl,
    settled: LossesSettled,
    names: NamesFreed | None,
    minted: NodeKeyMinted | None,
    marks: Marks,
    booted: MachinesBooted,
) -> MachinesConfigured:
    """Configure Talos on the machines."""
    await talosctl.ensure_secrets()
    control_planes = [str(machine.address) for machine in machines.control_planes]
    common = {"cluster": identity.name, "endpoint": kubernetes.endpoint, "talos": talos.version}
    await talosctl.write_client_configuration(endpoints=control_planes, **common)
    wanted = Wanted(paths.castle, identity, machines, talos, kubernetes, volumes, dns, node_key, logins)
    digest = partial(records.digest, wanted)
    await _refuse_changes(paths, machines, talosctl, {machine.name: digest(machine) for machine in machines.nodes})

    answering = await together(*(talosctl.answers(address=str(machine.address)) for machine in machines.nodes))
    configured = {machine.name for machine, answers in zip(machines.nodes, answering, strict=True) if answers}
    # All of them before the first is sent anything: what answers at a worker's address may be a control plane.
    unconfigured = [machine for machine in machines.nodes if machine.name not in configured]
    silent = await identified(identity, machines, existing, unconfigured, talosctl)

    async def configure(machine: Machine) -> None:
        address, now = str(machine.address), digest(machine)
        if machine.name in configured:
            if not records.known(paths, machine.name):
                note(f"how {machine.name} was configured is not recorded; it is assumed to match castle.yaml")
                records.sent(paths, machine.name, now)
            note(f"{machine.name} is configured already, and is left as it is")
            return
        configuration = await talosctl.generate(
            kind=machine.role,
            kubernetes=kubernetes.version,
            installer=talos.installer_of(machine, machines),
            patches=wanted.patches(machine, secrets, minted),
            **common,
        )
        await talosctl.validate(configuration=configuration, machine=machine.name)
        if machine.name in silent and (why := await identified(identity, machines, existing, [machine], talosctl)):
            text = f"{machine.name} does not answer in maintenance mode: {why[machine.name]}"
            raise await _explained(machine, kubernetes, talosctl, text, why[machine.name].hint)
        records.sending(paths, machine.name, now)
        if minted:
            marks.add(SENT, minted.key_id)
        try:
            await talosctl.apply(configuration=configuration, address=address, machine=machine.name)
        except NotYet as error:
            raise await _explained(machine, kubernetes, talosctl, str(error), error.hint) from None
        records.sent(paths, machine.name, now)

    # A worker that an earlier run configured says nothing until a control plane signs its certificate: asked at the same
    # time, it would end this attempt before the control planes have theirs.
    await together(*map(configure, machines.control_planes))
    await together(*map(configure, machines.workers))
    # A worker's certificate comes from a control plane, so all are asked only after all are configured.
    await together(
        *(
            until(
                partial(_configured, machine, kubernetes, talosctl),
                what=f"{machine.name} is configured",
                every=0.3,
                slowest=5,
            )
            for machine in machines.nodes
        )
    )
    return MachinesConfigured(tuple(machine.name for machine in machines.nodes))


async def _configured(machine: Machine, kubernetes: Kubernetes, talosctl: Talosctl) -> None:
    if not await talosctl.answers(address=str(machine.address)):
        raise await _explained(machine, kubernetes, talosctl, "does not answer to this castle's credentials")


async def _explained(machine: Machine, kubernetes: Kubernetes, talosctl: Talosctl, seen: str, hint: str = "") -> NotYet:
    """With what a worker that does not answer may wait for: its certificate is signed at the cluster's endpoint."""
    endpoint = host_of(kubernetes.endpoint)
    if machine.role == "worker" and not await talosctl.serves(address=endpoint, port=TRUSTD_PORT):
        hint = "kubernetes.endpoint must be the address of a control plane, or one that they share."
        return NotYet(f"{seen}; nothing answers at the endpoint {endpoint}:{TRUSTD_PORT}", hint=hint)
    lost = "If this castle's credentials in the produced folder are lost: `rebirth destroy`, then `rebirth create`."
    return NotYet(seen, hint=hint or lost)


async def found(machines: Machines) -> MachinesConfigured:
    return MachinesConfigured(tuple(machine.name for machine in machines.nodes))


async def still(
    fact: MachinesConfigured,
    identity: Identity,
    paths: Paths,
    machines: Machines,
    talos: Talos,
    kubernetes: Kubernetes,
    volumes: DataPath | None,
    dns: ClusterDns,
    node_key: NodeKey | None,
    logins: RegistryLogins,
    talosctl: Talosctl,
) -> bool:
    wanted = Wanted(paths.castle, identity, machines, talos, kubernetes, volumes, dns, node_key, logins)
    if changed := _changed(paths, {machine.name: records.digest(wanted, machine) for machine in machines.nodes}):
        raise NotYet(_other_configuration(changed))
    if not talosctl.has_credentials:
        raise NoAnswer("the castle's talosconfig is not in the produced folder")
    return all(await together(*(talosctl.answers(address=str(machine.address)) for machine in machines.nodes)))


async def _refuse_changes(paths: Paths, machines: Machines, talosctl: Talosctl, wanted: dict[str, str]) -> None:
    """Before anything is sent: a machine that is configured keeps what it has, so castle.yaml may not say anything else."""
    changed = _changed(paths, wanted)
    asked = [machine for machine in machines.nodes if machine.name in changed]
    configured = await together(*(talosctl.answers(address=str(machine.address)) for machine in asked))
    if refused := [machine.name for machine, answers in zip(asked, configured, strict=True) if answers]:
        files = ", ".join(str(records.file(paths, name)) for name in refused)
        hint = (
            "Change castle.yaml back; or change the machines with talosctl as castle.yaml says, and remove "
            f"{files}; or `rebirth destroy`, then `rebirth create`."
        )
        raise Broken(_other_configuration(refused), operation="configure machines", hint=hint)


def _changed(paths: Paths, wanted: dict[str, str]) -> list[str]:
    """The machines of which it is known that they were sent something else."""
    return [name for name, digest in wanted.items() if set(records.known(paths, name) or ()) - {digest}]


def _other_configuration(names: list[str]) -> str:
    return f"{', '.join(names)}: configured differently from what castle.yaml says now, and changes are not applied"


async def undo(paths: Paths) -> list[Made]:
    """The credentials of the machines, and what is recorded of them."""
    files = (paths.talosconfig, paths.talos_secrets, paths.produced / SCRATCH, records.folder(paths))
    return [Made("file", str(file), "", partial(_remove, file)) for file in files if file.exists()]


async def _remove(file: Path) -> None:
    if file.is_dir():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)
