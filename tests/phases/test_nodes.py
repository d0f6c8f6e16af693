"""A cluster of several Proxmox nodes: machines are spread, found wherever they are, and the image is where they boot."""

import pytest

from phases.conftest import REACHED, SETTLED
from phases.ruins import somebodys
from rebirth.castle import Identity
from rebirth.errors import Broken, NotYet
from rebirth.lab.proxmox import Storage
from rebirth.lab.systems.factory import factory_app
from rebirth.phases import create_machines, upload_image
from rebirth.phases.made.virtual_machines import needs
from rebirth.providers.factory import ImageFactory
from rebirth.run.journal import Journal, Marks, Once


@pytest.fixture
async def cluster(outside, serve):
    """`await cluster.image()`, `await cluster.create()`: the phases, on the nodes pve and pve2."""
    outside.pve.others = {"pve2": {"local": Storage(frozenset({"iso"})), "local-lvm": Storage(frozenset({"images"}))}}
    served = await serve(factory_app())
    outside.pve.ca = str(served.ca)

    class Cluster:
        paths, pve, proxmox, machines = outside.paths, outside.pve, outside.proxmox, outside.castle.machines
        talos = outside.castle.talos.model_copy(update={"image_factory": served.url})
        spec = outside.castle.proxmox.model_copy(update={"node": None, "nodes": ["pve", "pve2"]})

        async def image(self):
            factory = ImageFactory(url=served.url)
            return await upload_image.upload_image(self.talos, self.machines, self.spec, self.proxmox, factory, REACHED)

        async def create(self):
            image = await self.image()
            with Journal(outside.paths.state) as journal:
                return await create_machines.create_machines(
                    Identity(name=outside.castle.name), self.machines, self.spec, outside.paths, self.proxmox,
                    Once(journal),
                    Marks(journal), image, SETTLED, REACHED, *outside.inside,
                )  # fmt: skip

        def nodes(self):
            return {options["name"]: self.pve.conditions[vm_id].node for vm_id, options in self.pve.machines.items()}

        def images(self):
            return {node: len(self.pve.at(node).storages["local"].volumes) for node in self.pve.nodes}

    return Cluster()


async def test_machines_are_spread_and_each_node_has_the_image(cluster):
    fact = await cluster.create()
    assert cluster.nodes() == {"lushycorp-k8s": "pve", "tazlab-k8s-worker-1": "pve2"}
    assert cluster.images() == {"pve": 1, "pve2": 1}
    assert len(cluster.pve.at("pve2").storages["local-lvm"].volumes) == 2, "disk and cloud-init drive"
    assert await create_machines.still(fact, cluster.machines, cluster.spec, cluster.proxmox)
    assert await cluster.create() == fact


async def test_a_shared_storage_gets_the_image_once(cluster):
    shared = Storage(frozenset({"iso"}), shared=True)
    cluster.pve.storages["local"] = cluster.pve.others["pve2"]["local"] = shared
    await cluster.image()
    assert len(shared.volumes) == 1
    assert [task.kind for task in cluster.pve.tasks.values()] == ["download"]


async def test_an_image_that_one_node_lost_is_fetched_again(cluster):
    fact = await cluster.image()
    cluster.pve.others["pve2"]["local"].volumes.clear()
    args = (cluster.talos, cluster.machines, cluster.spec, cluster.proxmox)
    assert not await upload_image.still(fact, *args)
    assert await cluster.image() == fact
    assert await upload_image.still(fact, *args)


async def test_a_machine_that_was_migrated_is_adopted_and_removed_where_it_is(cluster):
    fact = await cluster.create()
    cluster.pve.conditions[801].node = "pve"
    assert await cluster.create() == fact
    cluster.pve.conditions[800].node = "pve2"
    with Journal(cluster.paths.state) as journal:
        for made in await create_machines.undo(cluster.spec, cluster.proxmox, Marks(journal)):
            await made.remove()
    assert cluster.pve.machines == {}


async def test_a_foreign_machine_on_another_node_is_seen(cluster):
    await cluster.proxmox.create(node="pve2", vm_id=800, options=somebodys("lushycorp-k8s", "theirs", "none"))
    with pytest.raises(
        Broken, match=r"lushycorp-k8s exists \(800 on pve2\) and is not this castle's: its tags are theirs"
    ):
        await cluster.create()


async def test_what_stands_on_a_node_that_is_offline_is_not_forgotten(cluster):
    await cluster.create()
    cluster.pve.offline.add("pve2")
    with Journal(cluster.paths.state) as journal:
        left = await create_machines.undo(cluster.spec, cluster.proxmox, Marks(journal))
    assert sorted(made.identity for made in left) == ["800", "801"]
    with pytest.raises(NotYet, match="HTTP 595"):
        await next(made for made in left if made.identity == "801").remove()
    with pytest.raises(NotYet, match="the node pve2 is offline"):
        await cluster.proxmox.reach(needs(cluster.machines, cluster.spec))


async def test_what_one_node_lacks_is_said_of_that_node(cluster):
    del cluster.pve.others["pve2"]["local-lvm"]
    with pytest.raises(Broken, match="pve2: has no storage local-lvm"):
        await cluster.proxmox.offers(needs(cluster.machines, cluster.spec))
    elsewhere = cluster.spec.model_copy(update={"nodes": ["pve", "pve9"]})
    with pytest.raises(Broken, match="has no node pve9") as caught:
        await cluster.proxmox.reach(needs(cluster.machines, elsewhere))
    assert caught.value.hint == "Its nodes are: pve, pve2."
