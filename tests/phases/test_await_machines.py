"""Machines that somebody else made, bare metal included: waited for, and reset by destroy."""

import asyncio
import json
import ssl
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from rebirth.castle import Castle, Existing
from rebirth.commands import Commands
from rebirth.errors import Broken, NotYet
from rebirth.lab.ca import Authority
from rebirth.paths import paths_of
from rebirth.phases import BOOTSTRAP, await_machines
from rebirth.phases.bootstrap_kubernetes import ETCD
from rebirth.providers.talos import Talosctl
from rebirth.run.create import sections
from rebirth.run.facts import MachinesBooted, OutsideReached
from rebirth.run.journal import Journal, Once
from rebirth.secrets import Redaction

PROGRAMS = Path(__file__).parents[1] / "programs"
EXAMPLE = Path(__file__).parents[2] / "examples" / "castle" / "castle.yaml"
ADDRESSES = "127.60.1.1", "127.60.1.2"


def castle(**changed):
    document = yaml.safe_load(EXAMPLE.read_text()) | {"existing": {}} | changed
    del document["proxmox"]
    return Castle.model_validate_json(json.dumps(document))


@pytest.fixture
async def world(tmp_path, monkeypatch):
    """Two machines whose API listens, on paper in maintenance mode."""
    paper = tmp_path / "talos"
    paper.mkdir()
    monkeypatch.setenv("PAPER_TALOS", str(paper))
    monkeypatch.setenv("PATH", f"{PROGRAMS}:/usr/bin:/bin")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority("talos").issue_into(tmp_path, "talos", ["talos"]))

    async def hang_up(reader, writer):
        writer.close()

    servers = {}

    async def switch_on(address):
        (paper / address).write_text("maintenance")
        (paper / f"card-{address}").write_text("aa:bb:cc:dd:ee:ff\n")
        servers[address] = await asyncio.start_server(hang_up, address, 50000, ssl=context)

    made = castle()
    nodes = zip(made.machines.nodes, ADDRESSES, strict=True)
    machines = made.machines.model_copy(
        update={"nodes": [node.model_copy(update={"address": ip_address(address)}) for node, address in nodes]}
    )
    (tmp_path / "castle").mkdir()
    paths = paths_of(tmp_path / "castle", made.secrets.model_copy(update={"directory": "vault"}), {})
    talosctl = Talosctl(paths=paths, commands=Commands(Redaction()))

    async def run(journal):
        once = Once(journal)
        return await await_machines.await_machines(Existing(), machines, talosctl, once, OutsideReached(""))

    def configured():
        paths.talosconfig.parent.mkdir(parents=True, exist_ok=True)
        paths.talosconfig.write_text("context: paper")
        for address in ADDRESSES:
            (paper / address).write_text("configured")

    def calls(verb):
        log = paper / "calls"
        return [line for line in log.read_text().splitlines() if line.startswith(verb)] if log.exists() else []

    yield SimpleNamespace(
        run=run, paper=paper, paths=paths, machines=machines, talosctl=talosctl, switch_on=switch_on,
        configured=configured, calls=calls,
    )  # fmt: skip
    for server in servers.values():
        server.close()


async def test_from_nothing_waits_until_somebody_switches_them_on(world):
    with Journal(world.paths.state) as journal:
        waiting = asyncio.ensure_future(world.run(journal))
        await world.switch_on(ADDRESSES[0])
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await world.switch_on(ADDRESSES[1])
        assert await waiting == MachinesBooted({})
    assert world.calls("apply-config") == world.calls("reset") == []


async def test_again_and_it_holds_while_they_answer(world):
    for address in ADDRESSES:
        await world.switch_on(address)
    with Journal(world.paths.state) as journal:
        fact = await world.run(journal)
        assert await world.run(journal) == fact
    assert await await_machines.still(fact, world.machines, world.talosctl)


async def test_killed_while_it_waits(world):
    with Journal(world.paths.state) as journal:
        waiting = asyncio.ensure_future(world.run(journal))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.wait([waiting])
        for address in ADDRESSES:
            await world.switch_on(address)
        assert await world.run(journal) == MachinesBooted({})


async def test_refused_where_one_is_off(world):
    await world.switch_on(ADDRESSES[0])
    with pytest.raises(NotYet, match=ADDRESSES[1]):
        await await_machines.still(MachinesBooted({}), world.machines, world.talosctl)


async def test_what_was_bootstrapped_before_a_reset_is_bootstrapped_again(world):
    for address in ADDRESSES:
        await world.switch_on(address)
    done, etcd = [], []

    async def act():
        done.append("bootstrap")
        etcd.append("lives")

    async def lives():
        return bool(etcd)

    with Journal(world.paths.state) as journal:
        await Once(journal)(ETCD, act, lives)
        etcd.clear()  # all machines are reset
        await world.run(journal)
        await Once(journal)(ETCD, act, lives)
        assert len(done) == 2
        world.configured()
        await world.run(journal)
        await Once(journal)(ETCD, act, lives)
        assert len(done) == 2, "a control plane of this castle still answers"


async def test_destroy_resets_what_is_this_castles_and_leaves_the_rest(world):
    for address in ADDRESSES:
        await world.switch_on(address)
    assert await await_machines.undo(Existing(), world.machines, world.talosctl) == [], "they wait for a configuration"
    world.configured()
    found = await await_machines.undo(Existing(), world.machines, world.talosctl)
    assert [str(one) for one in found] == [
        "the configuration of the machine lushycorp-k8s (127.60.1.1)",
        "the configuration of the machine tazlab-k8s-worker-1 (127.60.1.2)",
    ]
    for one in found:
        await one.remove()
    assert world.calls("reset") == [f"reset {address}" for address in ADDRESSES]
    assert await await_machines.undo(Existing(), world.machines, world.talosctl) == []


async def test_destroy_says_what_stays(world):
    await world.switch_on(ADDRESSES[0])
    (world.paper / ADDRESSES[0]).write_text("deaf")
    (lost,) = await await_machines.undo(Existing(), world.machines, world.talosctl)
    assert "does not answer to this castle's credentials" in lost.stays
    world.configured()
    kept = await await_machines.undo(Existing(reset_on_destroy=False), world.machines, world.talosctl)
    assert [one.stays for one in kept] == ["existing.reset_on_destroy is false"] * 2
    assert not any(one.remove for one in kept)


async def test_a_reset_that_is_refused(world):
    await world.switch_on(ADDRESSES[0])
    world.configured()
    found = await await_machines.undo(Existing(), world.machines, world.talosctl)
    (world.paper / ADDRESSES[1]).write_text("deaf")
    with pytest.raises((NotYet, Broken)):
        await found[1].remove()


def test_the_phases_of_proxmox_are_left_out():
    own = {phase.name for phase in BOOTSTRAP.of(sections(castle())).phases}
    assert "await_machines" in own
    assert not own & {"upload_image", "create_machines", "boot_machines"}
    assert {"free_names", "configure_machines", "converge"} <= own
