"""Cilium, without which no node is Ready."""

import pytest

from phases.cluster.world import again, killed_after_each_write, refused, with_cilium
from rebirth.errors import Broken
from rebirth.phases import install_cilium
from rebirth.run.facts import NamespacesCreated
from standins import charts
from standins.controllers import rolls_out


@pytest.fixture
def build(new_world):
    def new(**more):
        world = new_world(install_cilium, NamespacesCreated(()), castle=with_cilium(**more))
        chart = world.castle.networking.cilium
        world.kubernetes.put(charts.namespace("kube-system"))
        world.helm.charts[chart.repository, "cilium", chart.version] = charts.cilium
        world.kubernetes.controllers.append(rolls_out(40))
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).version == "1.18.4"
    values = world.helm.values["cilium"]
    assert values["kubeProxyReplacement"] is True
    assert (values["k8sServiceHost"], values["k8sServicePort"]) == ("localhost", 7445)
    assert values["cgroup"] == {"autoMount": {"enabled": False}, "hostRoot": "/sys/fs/cgroup"}
    assert "SYS_MODULE" not in str(values)
    assert "l2announcements" not in values


async def test_again(build):
    await again(build())


async def test_again_where_an_agent_is_down(build):
    world = build()
    await world.create()
    agents = world.kubernetes.get("apps/v1", "DaemonSet", "cilium", "kube-system")
    world.kubernetes.status(agents, {"numberAvailable": 0})
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused_where_the_repository_has_no_such_version(build):
    world = build()
    world.helm.charts.clear()
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert 'chart "cilium" version "1.18.4" not found' in str(failure)


async def test_from_nothing_with_values_of_the_castle_and_a_pool(build):
    pool = {"name": "lan", "addresses": ["192.168.50.200-192.168.50.220"]}
    world = build(pool=pool, values={"hubble": {"enabled": False}, "kubeProxyReplacement": False})
    await world.create()
    values = world.helm.values["cilium"]
    assert values["l2announcements"] == {"enabled": True}
    assert values["hubble"] == {"enabled": False}
    assert values["kubeProxyReplacement"] is False, "the castle's own word is the last"
