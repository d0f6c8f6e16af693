"""Machine configurations: what machines are sent, once; what a run that was killed, or a changed castle.yaml, finds."""

import json
import shutil
from ipaddress import ip_address
from types import SimpleNamespace

import pytest
import yaml
from pydantic import BaseModel

from rebirth.castle import Castle, ClusterDns, Identity
from rebirth.castle.storage import data_path_of
from rebirth.errors import Broken, Differs, NotYet
from rebirth.events import Events, Noted
from rebirth.phases import configure_machines
from rebirth.phases.made import machine_records as records
from rebirth.providers.access import ClusterAccess
from rebirth.providers.talos import Talosctl
from rebirth.run.change import How
from rebirth.run.create import given
from rebirth.run.facts import LossesSettled, MachinesBooted, NamesFreed, NodeKeyMinted
from rebirth.run.journal import Journal, Marks
from rebirth.run.phase import declared
from rebirth.run.waiting import Watcher, watched
from rebirth.secrets import Secret
from standins.paper_machines import PaperMachines
from standins.programs import Programs

CONTROL_PLANE, WORKER = "127.60.0.1", "127.60.0.2"


@pytest.fixture
def talos(outside, tmp_path):
    """Two machines in maintenance mode, on paper. `await talos.configure()`: the phase, as a run of its own."""
    world = tmp_path / "talos"
    world.mkdir()
    for address in (CONTROL_PLANE, WORKER):
        (world / address).write_text("maintenance")
    nodes = [
        node.model_copy(update={"address": ip_address(address)})
        for node, address in zip(outside.castle.machines.nodes, (CONTROL_PLANE, WORKER), strict=True)
    ]
    castle = outside.castle
    for node in nodes:
        (world / f"card-{node.address}").write_text(f"00:00:00:00:00:00\n{node.mac_address(castle.name)}\n")
    kubernetes = castle.kubernetes.model_copy(update={"endpoint": f"https://{CONTROL_PLANE}:6443"})
    sections = {
        "machines": castle.machines.model_copy(update={"nodes": nodes}), "talos": castle.talos, "kubernetes": kubernetes,
        "volumes": data_path_of(castle.storage), "dns": ClusterDns(ours=True), "node_key": castle.tailscale.node_key, "logins": castle.engine.registry_logins,
    }  # fmt: skip
    talosctl = Talosctl(paths=outside.paths, commands=Programs(talosctl=PaperMachines(world)))
    key = NodeKeyMinted(Secret("tskey-canary"), "k1")

    async def configure(**changed):
        with Journal(outside.paths.state) as journal:
            return await configure_machines.configure_machines(
                identity=Identity(name=castle.name), paths=outside.paths, existing=None, **{**sections, **changed}, secrets=outside.secrets,
                talosctl=talosctl, settled=LossesSettled(()), names=NamesFreed(()), minted=key, credentials=None, marks=Marks(journal), access=ClusterAccess(outside.paths),
                booted=MachinesBooted({}),
            )  # fmt: skip

    async def still(fact, **changed):
        return await configure_machines.still(
            fact, identity=Identity(name=castle.name), paths=outside.paths, **{**sections, **changed}, talosctl=talosctl
        )

    async def changes(**changed):
        return await configure_machines.changes(
            identity=Identity(name=castle.name), paths=outside.paths, **{**sections, **changed}, secrets=outside.secrets, talosctl=talosctl
        )  # fmt: skip

    def calls(verb):
        return [line for line in (world / "calls").read_text().splitlines() if line.startswith(verb)]

    return SimpleNamespace(
        configure=configure, still=still, changes=changes, world=world, calls=calls, paths=outside.paths, kubernetes=kubernetes, **{
            name: section for name, section in sections.items() if name != "kubernetes"
        },
    )  # fmt: skip


async def test_from_nothing_and_again_without_a_write(talos):
    fact = await talos.configure()
    assert fact.names == ("lushycorp-k8s", "tazlab-k8s-worker-1")
    assert talos.calls("apply-config") == [f"apply-config {CONTROL_PLANE}", f"apply-config {WORKER}"]
    given_to = (talos.world / f"given-{WORKER}").read_text()
    assert "tskey-canary" in given_to
    assert "hostname: tazlab-k8s-worker-1" in given_to
    assert await talos.still(fact)
    assert await talos.configure() == fact
    assert len(talos.calls("apply-config")) == 2
    assert not list(talos.paths.scratch.glob("*")), "no configuration is left in a file"
    assert all("canary" not in file.read_text() for file in talos.paths.state.rglob("*") if file.is_file())


async def test_killed_after_each_write(talos):
    for _ in range(10):
        (talos.world / "lose").touch()
        try:
            await talos.configure()
        except NotYet:
            continue
        break
    (talos.world / "lose").unlink(missing_ok=True)
    fact = await talos.configure()
    assert await talos.still(fact)
    assert len(talos.calls("apply-config")) == 2, "none is sent it twice"


async def test_a_configuration_that_is_refused(talos):
    (talos.world / "refuse").touch()
    with pytest.raises(Broken, match=r"apply-config to lushycorp-k8s: .*unknown keys found"):
        await talos.configure()
    assert talos.calls("apply-config") == [f"apply-config {CONTROL_PLANE}"], "the worker waits for the control plane"
    assert not list(talos.paths.scratch.glob("*"))


def changed_sections(talos):
    """Each with what becomes of it."""
    machines = talos.machines.model_copy(update={"nameservers": [ip_address("1.1.1.1")]})
    kubernetes, castles = talos.kubernetes, talos.talos
    return [
        ({"kubernetes": kubernetes.model_copy(update={"version": "v1.36.0"})}, How.REFUSED),
        ({"kubernetes": kubernetes.model_copy(update={"cert_sans": ["other.example"]})}, How.NOW),
        ({"kubernetes": kubernetes.model_copy(update={"service_account": None})}, How.NOW),
        ({"kubernetes": kubernetes.model_copy(update={"cni": "none"})}, How.REBIRTH),
        ({"talos": castles.model_copy(update={"version": "v1.12.1", "installer": None})}, How.REFUSED),
        ({"talos": castles.model_copy(update={"patches": [{"machine": {"env": {"A": "b"}}}]})}, How.REBOOT),
        ({"talos": castles.model_copy(update={"patches": [{"machine": {"sysctls": {"a.b": "1"}}}]})}, How.NOW),
        ({"machines": machines}, How.NOW),
        ({"node_key": talos.node_key.model_copy(update={"tags": ["tag:other"]})}, How.REBIRTH),
        ({"dns": ClusterDns(ours=False)}, How.REBIRTH),
        ({"logins": talos.logins.model_copy(update={"logins": []})}, How.REBOOT),
    ]


async def test_a_changed_configuration_is_applied_as_it_was_foretold(talos):
    fact = await talos.configure()
    for sections, how in changed_sections(talos):
        first = len(talos.calls("apply-config "))
        said = await talos.changes(**sections)
        assert {change.how for change in said} == {how}, (sections, said)
        assert not [call for call in talos.calls("apply-config ")[first:] if "--dry-run" not in call]
        with pytest.raises(Differs, match="says something else"):
            await talos.still(fact, **sections)
        given = {file.name: file.read_text() for file in talos.world.glob("given-*")}
        await talos.configure(**sections)
        after = {file.name: file.read_text() for file in talos.world.glob("given-*")}
        assert (after != given) == how.is_done
        assert await talos.changes(**sections) == ([] if how.is_done else said)
        assert "tskey-canary" in after[f"given-{WORKER}"], "it keeps the key that it has"
        if how.is_done:
            assert await talos.still(fact, **sections)
        await talos.configure()
        assert await talos.still(fact), "and back again"


async def test_what_a_dry_run_shows_is_kept_from_everybody(talos):
    """It shows the configuration, secrets and all."""
    await talos.configure()
    newer = talos.kubernetes.model_copy(update={"version": "v1.36.0", "cert_sans": ["other.example"]})
    said = await talos.changes(kubernetes=newer)
    assert said
    assert "canary" not in str(said)
    assert all("canary" not in file.read_text() for file in talos.paths.state.rglob("*") if file.is_file())


async def test_with_what_cannot_be_done_the_rest_waits(talos):
    await talos.configure()
    both = talos.kubernetes.model_copy(update={"cni": "none", "cert_sans": ["other.example"]})
    said = {change.why: change.how for change in await talos.changes(kubernetes=both)}
    assert {why.partition(":")[0]: how for why, how in said.items()} == {
        "cluster.network.cni.name": How.REBIRTH, "cluster.apiServer.certSANs": How.REFUSED,
    }  # fmt: skip


async def test_of_a_machine_that_does_not_answer_it_is_said_that_it_cannot_be_told(talos):
    await talos.configure()
    (talos.world / WORKER).write_text("deaf")
    newer = talos.machines.model_copy(update={"nameservers": [ip_address("1.1.1.1")]})
    said = {change.what: change.how for change in await talos.changes(machines=newer)}
    assert said == {"machine lushycorp-k8s": How.NOW, "machine tazlab-k8s-worker-1": How.UNKNOWN}


async def test_killed_while_a_change_is_applied(talos):
    await talos.configure()
    newer = talos.kubernetes.model_copy(update={"cert_sans": ["other.example"]})
    (talos.world / "lose").touch()
    with pytest.raises(NotYet):
        await talos.configure(kubernetes=newer)
    fact = await talos.configure(kubernetes=newer)
    assert await talos.still(fact, kubernetes=newer)
    assert "other.example" in (talos.world / f"given-{CONTROL_PLANE}").read_text()


async def test_what_changes_nothing_of_a_machine_is_no_change(talos):
    fact = await talos.configure()
    longer = talos.node_key.model_copy(update={"ttl_seconds": 600})
    assert await talos.still(fact, node_key=longer)
    assert await talos.configure(node_key=longer) == fact


async def test_a_patch_file_that_changes_is_a_change(talos):
    file = talos.paths.castle / "extra.yaml"
    file.write_text("machine: {sysctls: {a: '1'}}\n")
    section = talos.talos.model_copy(update={"patches": ["extra.yaml"]})
    fact = await talos.configure(talos=section)
    assert await talos.still(fact, talos=section)
    file.write_text("machine: {sysctls: {a: '2'}}\n")
    with pytest.raises(Differs):
        await talos.still(fact, talos=section)
    await talos.configure(talos=section)
    assert "a: '2'" in (talos.world / f"given-{WORKER}").read_text()
    assert await talos.still(fact, talos=section)


async def test_who_changed_the_machines_himself_goes_on(talos):
    """`talosctl upgrade-k8s`, as it was said."""
    fact = await talos.configure()
    newer = talos.kubernetes.model_copy(update={"version": "v1.36.0"})
    for address in (CONTROL_PLANE, WORKER):
        file = talos.world / f"given-{address}"
        file.write_text(file.read_text().replace("v1.35.4", "v1.36.0"))
    assert await talos.changes(kubernetes=newer) == []
    await talos.configure(kubernetes=newer)
    assert await talos.still(fact, kubernetes=newer)
    assert len([call for call in talos.calls("apply-config") if "--dry-run" not in call]) == 2


async def test_a_machine_that_may_have_either_of_two_is_asked(talos):
    """The answer to the first was lost, and castle.yaml changed before the second try."""
    (talos.world / f"becomes-{CONTROL_PLANE}").write_text("deaf")
    (talos.world / "lose").touch()
    with pytest.raises(NotYet):
        await talos.configure()
    newer = talos.kubernetes.model_copy(update={"cert_sans": ["other.example"]})
    with pytest.raises(NotYet):
        await talos.configure(kubernetes=newer)
    (talos.world / CONTROL_PLANE).write_text("configured")
    fact = await talos.configure(kubernetes=newer)
    assert await talos.still(fact, kubernetes=newer)
    assert "other.example" in (talos.world / f"given-{CONTROL_PLANE}").read_text()


async def test_a_lost_record_is_found_again_on_the_machine(talos):
    await talos.configure()
    shutil.rmtree(talos.paths.state / "machines")
    assert await talos.changes() == []
    fact = await talos.configure()
    assert await talos.still(fact)
    assert records.known(talos.paths, "lushycorp-k8s")
    shutil.rmtree(talos.paths.state / "machines")
    said = await talos.changes(kubernetes=talos.kubernetes.model_copy(update={"cert_sans": ["other.example"]}))
    assert [change.how for change in said] == [How.NOW]


async def test_a_machine_made_anew_is_sent_what_castle_yaml_says_now(talos):
    await talos.configure()
    newer = talos.kubernetes.model_copy(update={"version": "v1.36.0"})
    for name, address in (("lushycorp-k8s", CONTROL_PLANE), ("tazlab-k8s-worker-1", WORKER)):
        records.made(talos.paths, name)
        (talos.world / address).write_text("maintenance")
    fact = await talos.configure(kubernetes=newer)
    assert await talos.still(fact, kubernetes=newer)
    assert len(talos.calls("apply-config")) == 4


async def test_an_endpoint_that_nobody_holds_is_named(talos):
    """A worker gets its certificate from there: an earlier run configured it, and nobody has signed one."""
    (talos.world / WORKER).write_text("deaf")
    nowhere = talos.kubernetes.model_copy(update={"endpoint": "https://127.60.0.99:6443"})
    with pytest.raises(NotYet, match=r"nothing answers at the endpoint 127\.60\.0\.99:50001") as caught:
        await talos.configure(kubernetes=nowhere)
    assert "kubernetes.endpoint" in caught.value.hint


async def test_the_same_is_noted_once_however_often_a_phase_is_tried(talos):
    await talos.configure()
    other = talos.kubernetes.model_copy(update={"cni": "none"})
    said = []
    with watched(Watcher("configure_machines", Events(said.append))):
        for _ in range(3):
            await talos.configure(kubernetes=other)
    notes = [event.text for event in said if isinstance(event, Noted)]
    assert len(notes) == len(set(notes)) == 2, "one a machine"
    assert "lushycorp-k8s keeps its configuration, needs a rebirth: cluster.network.cni" in notes[0]


@pytest.mark.parametrize(
    ("path", "value", "touches"),
    [
        (("engine", "pull_secrets", 0, "namespaces"), ["default"], False),
        (("engine", "coredns", "replicas"), 3, False),
        (("engine", "coredns", "forwards"), {}, False),
        (("engine", "external_secrets", "version"), "9.9.9", False),
        (("engine", "vault", "mount"), "kv", False),
        (("tailscale", "names"), [], False),
        (("networking", "pool", "name"), "other", False),
        (("engine", "pull_secrets", 0, "registry"), "other.example", True),
        (("tailscale", "node_key", "tags"), ["tag:other"], True),
        (("kubernetes", "version"), "v1.36.0", True),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_which_changes_of_castle_yaml_ask_for_the_phase_again(outside, path, value, touches):
    def inputs(data):
        """The sections that the phase takes: what it is run again for."""
        known = given(Castle.model_validate_json(json.dumps(data)), outside.paths, outside.redaction)
        taken = declared(configure_machines.configure_machines).takes.values()
        return [known[kind].model_dump_json() for kind in taken if isinstance(known.get(kind), BaseModel)]

    data = yaml.safe_load((outside.paths.castle / "castle.yaml").read_text())
    before = inputs(data)
    where = data
    for key in path[:-1]:
        where = where[key]
    where[path[-1]] = value
    assert (inputs(data) != before) is touches


async def test_a_machine_at_anothers_address_is_sent_nothing(talos):
    own = {address: (talos.world / f"card-{address}").read_text() for address in (CONTROL_PLANE, WORKER)}
    (talos.world / f"card-{CONTROL_PLANE}").write_text(own[WORKER])
    (talos.world / f"card-{WORKER}").write_text(own[CONTROL_PLANE])
    with pytest.raises(Broken) as caught:
        await talos.configure()
    names = [node.name for node in talos.machines.nodes]
    assert f"{CONTROL_PLANE} is answered by {names[1]} (" in str(caught.value)
    assert f"{WORKER} is answered by {names[0]} (" in str(caught.value)
    assert not talos.calls("apply-config"), "no secret leaves before it is known who answers"


async def test_a_machine_that_castle_yaml_does_not_know(talos):
    (talos.world / f"card-{WORKER}").write_text("00:00:00:00:00:00\nbc:24:11:00:00:01\n")
    with pytest.raises(Broken, match=r"castle\.yaml does not know \(bc:24:11:00:00:01\), not by tazlab-k8s-worker-1"):
        await talos.configure()
    assert not talos.calls("apply-config")
