"""A StorageClass that comes with the repository."""

import pytest

from phases.cluster.world import again, castle_with, refused
from rebirth.errors import Broken
from rebirth.phases import await_storage
from rebirth.run.facts import FluxBootstrapped

CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "ceph-block"},
    "provisioner": "rook-ceph.rbd.csi.ceph.com",
}


@pytest.fixture
def build(new_world):
    """Flux brings it after four minutes."""

    def new(*, comes=True):
        castle = castle_with(storage={"storage_class": "ceph-block"})
        world = new_world(await_storage, FluxBootstrapped("flux-system/flux-system"), castle=castle)
        if comes:
            world.kubernetes.after(240, lambda: world.kubernetes.put(CLASS, by="rook"))
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).storage_class == "ceph-block"
    assert world.writes == []


async def test_again(build):
    world = build()
    await again(world)
    world.kubernetes.take("storage.k8s.io/v1", "StorageClass", "ceph-block")
    assert not await world.holds()


async def test_killed_while_it_waits(build):
    world = build()
    await world.kill_after(100)
    assert await world.create()


async def test_refused(build):
    world = build()
    world.kubernetes.forbids = lambda verb, kind, namespace: "no rights" if verb == "get" else None
    assert isinstance(await refused(world), Broken)


async def test_refused_where_nobody_brings_it(build):
    failure = await refused(build(comes=False), within=await_storage.PATIENCE + 1)
    assert "the StorageClass ceph-block exists: does not exist; Flux brings it" in str(failure)
