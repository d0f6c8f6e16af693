"""CoreDNS, applied by the castle."""

import asyncio

import pytest

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.errors import Broken
from rebirth.phases import install_coredns
from standins.controllers import rolls_out


@pytest.fixture
def build(new_world):
    def new():
        world = new_world(install_coredns)
        world.kubernetes.controllers.append(rolls_out(5))
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).address == "10.96.0.10"
    assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.5)
    assert [what.split()[1] for what in world.writes] == [
        "serviceaccounts", "clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
        "configmaps", "deployments.apps", "services",
    ]  # fmt: skip


async def test_again(build):
    await again(build())


async def test_again_where_its_pods_are_gone(build):
    world = build()
    await world.create()
    deployment = world.kubernetes.get("apps/v1", "Deployment", "coredns", "kube-system")
    world.kubernetes.status(deployment, {"availableReplicas": 1})
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused_where_another_service_has_its_address(build):
    world = build()
    other = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "other", "namespace": "default"}}
    world.kubernetes.put({**other, "spec": {"clusterIP": "10.96.0.10"}}, by="somebody")
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert failure.status == 422
    assert "apply Service kube-system/kube-dns" in str(failure)
    assert "provided IP is already allocated" in str(failure)


async def test_refused_where_another_deployment_has_its_name(build):
    world = build()
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns", "namespace": "kube-system"}}
    world.kubernetes.put({**other, "spec": {"selector": {"matchLabels": {"app": "other"}}}}, by="somebody")
    failure = await refused(world)
    assert failure.status == 422
    assert "spec.selector" in str(failure)


async def test_again_where_its_service_is_gone(build):
    """All names go with it, and the pods say nothing of that."""
    world = build()
    fact = await world.create()
    world.kubernetes.take("v1", "Service", "kube-dns", "kube-system")
    assert not await world.holds()
    assert await world.create() == fact
    assert world.kubernetes.get("v1", "Service", "kube-dns", "kube-system")
