"""Machine configurations: generated, patched and validated by talosctl; applied to machines in maintenance mode, and to those
that have one already where castle.yaml has changed.
"""

from collections.abc import Awaitable, Callable
from functools import partial

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
from rebirth.errors import Differs, NoAnswer, NotYet
from rebirth.paths import Paths
from rebirth.phases.made import machine_records as records
from rebirth.phases.made.living.health import boot_of, booted_again, healthy
from rebirth.phases.made.living.machine_changes import Ahead, ahead, generated, has
from rebirth.phases.made.machine_patches import Wanted
from rebirth.phases.made.who_answers import identified
from rebirth.phases.mint_node_key import SENT
from rebirth.providers.access import ClusterAccess
from rebirth.providers.talos import TRUSTD_PORT, Talosctl
from rebirth.run.change import Change, How
from rebirth.run.facts import (
    CredentialsRestored,
    LossesSettled,
    MachinesBooted,
    MachinesConfigured,
    MachinesCreated,
    Made,
    NamesFreed,
    NodeKeyMinted,
    SecretsResolved,
)
from rebirth.run.files import made_of
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
    credentials: CredentialsRestored | None,
    marks: Marks,
    access: ClusterAccess,
    booted: MachinesBooted,
) -> MachinesConfigured:
    """Configure Talos on the machines."""
    await talosctl.ensure_secrets()
    control_planes = [str(machine.address) for machine in machines.control_planes]
    common = {"cluster": identity.name, "endpoint": kubernetes.endpoint, "talos": talos.version}
    await talosctl.write_client_configuration(endpoints=control_planes, **common)
    wanted = Wanted(paths.castle, identity, machines, talos, kubernetes, volumes, dns, node_key, logins)
    digest = partial(records.digest, wanted)

    answering = await together(*(talosctl.answers(address=str(machine.address)) for machine in machines.nodes))
    configured = {machine.name for machine, answers in zip(machines.nodes, answering, strict=True) if answers}
    # All of them before the first is sent anything: what answers at a worker's address may be a control plane.
    unconfigured = [machine for machine in machines.nodes if machine.name not in configured]
    silent = await identified(identity, machines, existing, unconfigured, talosctl)

    async def configure(machine: Machine) -> None:
        address, now = str(machine.address), digest(machine)
        if machine.name in configured:
            return
        configuration = await generated(wanted, machine, secrets, minted, talosctl)
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
    changed = [
        machine
        for machine in (*machines.control_planes, *machines.workers)
        if machine.name in configured and records.known(paths, machine.name) != (digest(machine),)
    ]
    for one in await together(*(ahead(wanted, machine, secrets, talosctl) for machine in changed)):
        await _alter(one, digest(one.machine), paths, machines, talosctl, access)
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
    if not talosctl.has_credentials:
        raise NoAnswer("the castle's talosconfig is not in the produced folder")
    if not all(await together(*(talosctl.answers(address=str(machine.address)) for machine in machines.nodes))):
        return False
    wanted = Wanted(paths.castle, identity, machines, talos, kubernetes, volumes, dns, node_key, logins)
    if changed := _changed(paths, wanted):
        names = ", ".join(machine.name for machine in changed)
        raise Differs(f"{names}: castle.yaml says something else than what the machine was sent")
    return True


async def changes(
    identity: Identity,
    paths: Paths,
    machines: Machines,
    talos: Talos,
    kubernetes: Kubernetes,
    volumes: DataPath | None,
    dns: ClusterDns,
    node_key: NodeKey | None,
    logins: RegistryLogins,
    secrets: SecretsResolved,
    talosctl: Talosctl,
) -> list[Change]:
    if not talosctl.has_credentials or not paths.talos_secrets.exists():
        raise NoAnswer("the castle's talosconfig and Talos secrets are not in the produced folder")
    wanted = Wanted(paths.castle, identity, machines, talos, kubernetes, volumes, dns, node_key, logins)

    async def ask(machine: Machine) -> list[Change]:
        try:
            return list((await ahead(wanted, machine, secrets, talosctl)).changes)
        except NotYet as error:
            if records.known(paths, machine.name) is None:
                return []  # nobody has ever configured it: it is a new one
            text = (
                f"castle.yaml says something else than what it was sent, and it does not say what that takes: {error}"
            )
            return [Change(f"machine {machine.name}", How.UNKNOWN, text, "machines")]

    return [change for found in await together(*map(ask, _changed(paths, wanted))) for change in found]


def _changed(paths: Paths, wanted: Wanted) -> list[Machine]:
    """The machines that were sent something else, or nobody knows what; one that was never sent anything is a new one."""
    sent = {machine.name: records.known(paths, machine.name) for machine in wanted.machines.nodes}
    return [
        machine
        for machine in wanted.machines.nodes
        if sent[machine.name] not in {(), (records.digest(wanted, machine),)}
    ]


async def _alter(
    one: Ahead, digest: str, paths: Paths, machines: Machines, talosctl: Talosctl, access: ClusterAccess
) -> None:
    """Gives a configured machine the configuration that castle.yaml asks for now, if that can be done to it."""
    machine = one.machine
    if one.undone:
        for change in one.undone:
            note(f"{machine.name} keeps its configuration, {change.how}: {change.why}")
        return
    if not one.changes:
        records.sent(paths, machine.name, digest)
        return
    check = partial(healthy, machines, talosctl, access)
    well = one.reboots or await _is(check)
    if one.reboots:
        await until(check, what=f"the cluster can do without {machine.name}", every=2, slowest=10)
    before = await boot_of(machine, talosctl, access) if one.reboots else None
    records.sending(paths, machine.name, digest)
    how = "with a reboot" if one.reboots else "at once"
    note(f"{machine.name} is given {', '.join(change.why for change in one.changes)}, {how}")
    await talosctl.change(
        configuration=one.configuration, address=str(machine.address), machine=machine.name, reboot=one.reboots
    )
    await until(partial(_has, one, talosctl), what=f"{machine.name} has its new configuration", every=1, slowest=5)
    records.sent(paths, machine.name, digest)
    if before:
        again = partial(booted_again, before, machine, talosctl, access)
        await until(again, what=f"{machine.name} has booted again", every=2, slowest=5)
    if well:
        await until(check, what=f"the cluster is well again after {machine.name}", every=2, slowest=10)


async def _has(one: Ahead, talosctl: Talosctl) -> None:
    if not await has(one.configuration, one.machine, talosctl):
        raise NotYet("it has the one from before")


async def _is(check: Callable[[], Awaitable[None]]) -> bool:
    try:
        await check()
    except NotYet:
        return False
    return True


async def undo(paths: Paths) -> list[Made]:
    """The credentials of the machines, and what is recorded of them."""
    files = (paths.talosconfig, paths.talos_secrets, paths.scratch, records.folder(paths))
    return made_of(files)
