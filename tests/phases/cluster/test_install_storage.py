"""The storage chart, whose own manager makes the StorageClass."""

import pytest

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.errors import Broken
from rebirth.phases import install_storage
from rebirth.run.facts import NamespacesCreated
from standins import charts
from standins.controllers import establishes, rolls_out

CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "longhorn"},
    "provisioner": "driver.longhorn.io",
}


def manages(kubernetes, change, item):
    """Longhorn's manager, once it runs, makes the StorageClass and the CSI driver's workloads."""
    if item["kind"] == "DaemonSet" and item["metadata"]["name"] == "longhorn-manager" and item.get("status"):
        kubernetes.put(CLASS, by="longhorn-manager")
        kubernetes.put(charts.workload("Deployment", "csi-attacher", "longhorn-system", 3), by="longhorn-manager")


@pytest.fixture
def build(new_world):
    def new():
        world = new_world(install_storage, NamespacesCreated(()))
        storage = world.castle.storage
        world.kubernetes.put(charts.namespace(storage.namespace))
        world.helm.charts[storage.repository, storage.chart, storage.version] = charts.longhorn
        world.kubernetes.controllers += [establishes(1), rolls_out(20), manages]
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).storage_class == "longhorn"
    assert world.kubernetes.get("storage.k8s.io/v1", "StorageClass", "longhorn")
    assert world.helm.status("longhorn-system", "longhorn") == "deployed"


async def test_again(build):
    await again(build())


async def test_again_where_the_class_is_gone(build):
    world = build()
    await world.create()
    world.kubernetes.take("storage.k8s.io/v1", "StorageClass", "longhorn")
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused_where_others_have_what_the_chart_makes(build):
    world = build()
    world.kubernetes.put(charts.workload("DaemonSet", "longhorn-manager", "longhorn-system"), by="somebody")
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert "invalid ownership metadata" in str(failure)
