"""Virtual machines: from nothing; again, without a write; after a kill at each write; what is refused."""

import asyncio
import os
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from ipaddress import ip_address

import pytest
from starlette.responses import HTMLResponse, JSONResponse

from phases.conftest import REACHED, SETTLED
from phases.ruins import somebodys
from rebirth.castle import Identity
from rebirth.commands import Commands
from rebirth.errors import Broken, NotYet
from rebirth.lab.proxmox import Pace, Rights, Volume
from rebirth.lab.systems.faults import Fault
from rebirth.phases import boot_machines, create_machines
from rebirth.phases.bootstrap_kubernetes import ETCD
from rebirth.phases.connections import proxmox_api
from rebirth.phases.made import machine_records as records
from rebirth.phases.made.virtual_machines import needs
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import ImageUploaded
from rebirth.run.journal import Journal, Marks, Once
from rebirth.run.waiting import together

VOLUME = "local:iso/talos.iso"
IMAGE = ImageUploaded(dict.fromkeys(("lushycorp-k8s", "tazlab-k8s-worker-1"), VOLUME))


async def soon(run):
    """As the engine does: again, while it is not yet."""
    for _ in range(20):
        try:
            return await run()
        except NotYet:
            await asyncio.sleep(0.02)
    raise AssertionError("it does not get through")


@pytest.fixture
def yard(outside):
    """`await yard.create()`: the phase, as a run of its own. The image is there already."""

    class Yard:
        pve, castle, faults, proxmox = outside.pve, outside.castle, outside.faults, outside.proxmox

        async def create(self):
            with Journal(outside.paths.state) as journal:
                return await create_machines.create_machines(
                    Identity(name=self.castle.name),
                    self.castle.machines,
                    self.castle.proxmox,
                    outside.paths,
                    self.proxmox,
                    Once(journal),
                    Marks(journal),
                    IMAGE,
                    SETTLED,
                    REACHED,
                    *outside.inside,
                )

        async def still(self, fact):
            return await create_machines.still(fact, self.castle.machines, self.castle.proxmox, self.proxmox)

        async def start_all(self, fact):
            for vm_id in fact.vm_ids.values():
                await self.proxmox.start(node="pve", vm_id=vm_id)

    outside.pve.storage("local").volumes[VOLUME] = Volume("iso", 1 << 20)
    outside.yard = Yard()
    outside.yard.outside = outside
    return outside.yard


async def test_from_nothing_and_again(yard):
    fact = await yard.create()
    assert fact.vm_ids == {"lushycorp-k8s": 800, "tazlab-k8s-worker-1": 801}
    made = yard.pve.machines[800]
    assert (made["name"], made["cores"], made["memory"]) == ("lushycorp-k8s", "4", "8192")
    assert made["tags"] == yard.castle.proxmox.tag
    assert await yard.still(fact)
    before = dict(yard.faults.writes)
    assert await yard.create() == fact
    assert yard.faults.writes == before


async def test_a_machine_has_its_address_from_its_drive(yard):
    await yard.create()
    made = yard.pve.machines[801]
    assert made["ide0"] == "local-lvm:vm-801-cloudinit,media=cdrom"
    assert (made["ipconfig0"], made["nameserver"]) == ("ip=192.168.50.21/24,gw=192.168.50.1", "192.168.50.1")
    assert made["boot"] == "order=scsi0;ide2", "nothing boots from the drive"
    await yard.proxmox.start(node="pve", vm_id=801)
    told = yard.pve.hypervisor.started[801].cloud_init
    assert (told.kind, told.addresses) == ("nocloud", ({"ip": "192.168.50.21/24", "gw": "192.168.50.1"},))


async def test_a_machine_whose_address_dhcp_reserves_has_no_drive(yard):
    reserved = yard.castle.machines.model_copy(update={"addressing": "reserved-dhcp"})
    yard.castle = yard.castle.model_copy(update={"machines": reserved})
    await yard.create()
    assert "ide0" not in yard.pve.machines[800]
    assert "ipconfig0" not in yard.pve.machines[800]


async def test_killed_after_each_write(yard):
    await yard.outside.killed_after_each_write("proxmox", yard.create)
    names = [options["name"] for options in yard.pve.machines.values()]
    assert sorted(names) == ["lushycorp-k8s", "tazlab-k8s-worker-1"], "none is made twice"


async def test_one_that_is_still_being_created_is_waited_for(yard):
    fact = await yard.create()
    whole = yard.pve.machines[800]
    yard.pve.machines[800] = {"name": "VM 800"}  # all that Proxmox shows at first: neither name nor tags
    yard.pve.conditions[800].lock = "create"
    with pytest.raises(NotYet, match="still creating the machine 800"):
        await yard.create()
    yard.pve.machines[800], yard.pve.conditions[800].lock = whole, None
    assert await yard.create() == fact


async def test_one_being_created_outside_our_ids_is_not_waited_for(yard):
    await yard.proxmox.create(node="pve", vm_id=100, options=somebodys("other", "theirs"))
    yard.pve.conditions[100].lock = "create"
    assert set((await yard.create()).vm_ids.values()) == {800, 801}


async def test_a_machine_of_that_name_that_is_not_ours_is_not_touched(yard):
    await yard.create()
    yard.pve.machines[800]["tags"] = "theirs"
    before = dict(yard.faults.writes)
    with pytest.raises(
        Broken, match=r"lushycorp-k8s exists \(800 on pve\) and is not this castle's: its tags are theirs"
    ) as caught:
        await yard.create()
    assert caught.value.hint
    assert yard.faults.writes == before


async def test_ids_that_others_took(yard):
    for vm_id in (800, 802):
        await yard.proxmox.create(node="pve", vm_id=vm_id, options=somebodys(f"other-{vm_id}", "theirs"))
    assert set((await yard.create()).vm_ids.values()) == {801, 803}


async def test_etcd_may_be_bootstrapped_again_where_every_control_plane_is_new(yard):
    state = yard.outside.paths.state
    with Journal(state) as journal:
        journal.begin(ETCD)
        journal.end(ETCD)
    await yard.create()
    with Journal(state) as journal:
        assert journal.progress(ETCD) is None
        journal.begin(ETCD)
        journal.end(ETCD)
    del yard.pve.machines[801], yard.pve.conditions[801]  # a worker alone
    await yard.create()
    with Journal(state) as journal:
        assert journal.progress(ETCD) == "ended"


async def test_starting_what_runs_already_is_fine(yard):
    fact = await yard.create()
    await yard.start_all(fact)
    await yard.start_all(fact)
    assert set(yard.pve.hypervisor.started) == {800, 801}


async def test_a_machine_that_a_killed_run_is_removing_already_is_gone_all_the_same(yard):
    await yard.create()
    yard.pve.pace = Pace(task_seconds=0.3)
    delete = partial(yard.proxmox.delete, node="pve", vm_id=800)
    await together(delete(), delete())
    assert 800 not in yard.pve.machines


async def test_a_machine_that_somebody_is_busy_with_is_waited_for(yard):
    fact = await yard.create()
    yard.pve.conditions[800].lock = "backup"
    with pytest.raises(NotYet, match="locked"):
        await yard.start_all(fact)
    with pytest.raises(NotYet):
        await yard.proxmox.delete(node="pve", vm_id=800)
    yard.pve.conditions[800].lock = None
    await yard.start_all(fact)


async def test_an_id_that_was_taken_in_between_is_looked_at_again(yard):
    await yard.create()
    with pytest.raises(NotYet, match="VM 800 already exists"):
        await yard.proxmox.create(node="pve", vm_id=800, options=somebodys("other", "theirs"))


def on_loopback(yard):
    """The castle's machines, at addresses of this machine that no other process of tests takes."""
    high, low = divmod(os.getpid(), 256)
    nodes = [
        node.model_copy(update={"address": ip_address(f"127.{high % 250 + 1}.{low}.{number}")})
        for number, node in enumerate(yard.castle.machines.nodes, 1)
    ]
    return yard.castle.machines.model_copy(update={"nodes": nodes})


@asynccontextmanager
async def machine_apis(yard, serve):
    """Something speaks TLS where each machine's API is."""
    machines = on_loopback(yard)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*serve.keys.authority.issue_into(yard.outside.paths.castle, "talos", ["talos"]))
    async with AsyncExitStack() as stack:
        for node in machines.nodes:
            server = await asyncio.start_server(lambda _, writer: writer.close(), str(node.address), 50000, ssl=tls)
            await stack.enter_async_context(server)
        yield machines


async def test_boots_and_waits_for_the_machine_api(yard, serve):
    created = await yard.create()
    machines = on_loopback(yard)
    talosctl = Talosctl(paths=yard.outside.paths, commands=Commands(yard.outside.redaction))
    booting = asyncio.create_task(boot_machines.boot_machines(machines, yard.proxmox, talosctl, created))
    await asyncio.sleep(0.5)
    assert not booting.done()
    async with machine_apis(yard, serve), asyncio.timeout(200):
        booted = await booting
    assert booted.vm_ids == created.vm_ids
    assert await boot_machines.still(booted, yard.proxmox)
    await yard.proxmox.stop(node="pve", vm_id=800)
    assert not await boot_machines.still(booted, yard.proxmox)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 595])
async def test_what_passes_by_itself(outside, status):
    outside.faults.set("proxmox", Fault(status=status))
    with pytest.raises(NotYet):
        await outside.proxmox.machines()
    outside.faults.clear()
    async with asyncio.timeout(50):
        await outside.proxmox.machines()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_making_a_machine_is_tried_again_where_proxmox_says_nothing_of_its_own(yard, status):
    yard.faults.set("proxmox", Fault(status=status, method="POST"))
    with pytest.raises(NotYet, match=f"Proxmox: create machine: HTTP {status}") as caught:
        await yard.create()
    assert caught.value.hint
    yard.faults.clear()
    assert set((await soon(yard.create)).vm_ids.values()) == {800, 801}


async def test_what_proxmox_itself_refuses_is_said_in_its_words(yard):
    yard.pve.storages["local-lvm"].total, yard.pve.storages["local-lvm"].thin = 1, False
    with pytest.raises(Broken, match="insufficient free space") as caught:
        await yard.create()
    assert caught.value.hint


ODD = {"HTML": HTMLResponse("<h1>Sign in</h1>"), "other JSON": JSONResponse({"message": "fine"}), "a list": JSONResponse([1]),
       "nothing": JSONResponse({"data": None})}  # fmt: skip


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
async def test_answers_that_are_not_proxmox(outside, serve, answer):
    served = await serve(answer)
    client = proxmox_api(outside.castle.proxmox.model_copy(update={"endpoint": served.url}), outside.secrets)
    wanted = needs(outside.castle.machines, outside.castle.proxmox)
    asked = [
        client.reach(wanted),
        client.machines(),
        client.images(node="pve", storage="local"),
        client.start(node="pve", vm_id=800),
        client.offers(wanted),
    ]
    for ask in asked:
        with pytest.raises(NotYet, match="the answer does not match Proxmox's API") as caught:
            await ask
        assert "proxmox.endpoint" in caught.value.hint
        assert "Sign in" not in str(caught.value)
    await client.close()


async def test_a_body_is_in_no_message(outside, serve):
    served = await serve(HTMLResponse("<h1>canary</h1>", 400))
    client = proxmox_api(outside.castle.proxmox.model_copy(update={"endpoint": served.url}), outside.secrets)
    with pytest.raises(Broken) as caught:
        await client.machines()
    assert "canary" not in str(caught.value)
    await client.close()


async def test_what_a_machine_was_given_is_forgotten_before_it_is_made_anew(yard):
    paths = yard.outside.paths
    await yard.create()
    for name in ("lushycorp-k8s", "tazlab-k8s-worker-1"):
        records.sent(paths, name, "digest")
    del yard.pve.machines[801], yard.pve.conditions[801]
    await yard.create()
    assert records.known(paths, "lushycorp-k8s") == ("digest",)
    assert records.known(paths, "tazlab-k8s-worker-1") == ()


async def test_a_machine_is_not_made_without_the_right_to(yard):
    yard.pve.rights = Rights({"/": frozenset({"VM.Audit"})})
    with pytest.raises(Broken, match=r"the token was rejected: Permission check failed$"):
        await yard.create()
    assert not yard.pve.machines


async def test_machines_that_run_are_not_started_again(yard, serve):
    created = await yard.create()
    async with machine_apis(yard, serve) as machines:
        talosctl = Talosctl(paths=yard.outside.paths, commands=Commands(yard.outside.redaction))

        async def boot():
            return await boot_machines.boot_machines(machines, yard.proxmox, talosctl, created)

        await yard.outside.killed_after_each_write("proxmox", boot)
        before = dict(yard.faults.writes)
        await boot()
        assert yard.faults.writes == before
        yard.faults.clear()
        yard.pve.rights = Rights({"/": frozenset({"VM.Audit"})})
        await yard.outside.pve.hypervisor.stop(800)
        with pytest.raises(Broken, match=r"VM\.PowerMgmt"):
            await boot()
