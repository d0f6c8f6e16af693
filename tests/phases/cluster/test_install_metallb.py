"""MetalLB, and a pool that its own webhook admits."""

import asyncio

import pytest

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.errors import Broken
from rebirth.phases import install_metallb
from rebirth.run.facts import NamespacesCreated
from standins import charts
from standins.controllers import Webhook, establishes, rolls_out
from standins.statuses import denied, forbidden

POOL = "metallb.io/v1beta1", "IPAddressPool", "lan", "metallb-system"


@pytest.fixture
def build(new_world):
    """The chart; its CRDs are established after 1 s, its pods Ready after 4 s, and the webhook needs to be woken."""

    def new():
        world = new_world(install_metallb, NamespacesCreated(()))
        cluster, chart = world.kubernetes, world.castle.networking.metallb
        cluster.put(charts.namespace(chart.namespace))
        world.helm.charts[chart.repository, "metallb", chart.version] = charts.metallb
        cluster.controllers += [establishes(1), rolls_out(4)]
        kinds = frozenset({"IPAddressPool", "L2Advertisement"})
        cluster.admission.append(
            Webhook(cluster, "ipaddresspoolvalidationwebhook.metallb.io", "metallb-webhook-service", chart.namespace,
                    kinds, "metallb-controller-0", needs_waking=True)
        )  # fmt: skip
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).version == "0.15.2"
    assert world.kubernetes.get(*POOL)["spec"] == {"addresses": ["192.168.50.200-192.168.50.220"]}
    assert world.kubernetes.get(POOL[0], "L2Advertisement", *POOL[2:])["spec"] == {"ipAddressPools": ["lan"]}
    assert world.helm.values["metallb"]["speaker"] == {"frr": {"enabled": False}}
    assert asyncio.get_running_loop().time() < 15, "the webhook's pods are woken, and not waited for"


async def test_again(build):
    await again(build())


async def test_again_where_the_pool_was_changed(build):
    world = build()
    await world.create()
    pool = {**world.kubernetes.get(*POOL), "spec": {"addresses": ["10.0.0.0/24"]}}
    pool["metadata"].pop("managedFields")
    world.kubernetes.put(pool, by="somebody")
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused_by_its_webhook(build):
    world = build()

    def webhook(kind, item):
        if kind.kind == "IPAddressPool":
            raise denied("ipaddresspoolvalidationwebhook.metallb.io", 'CIDR "192.168.50.200-" in pool "lan" is invalid')

    world.kubernetes.admission.append(webhook)
    failure = await refused(world, within=15)
    assert isinstance(failure, Broken)
    assert failure.status == 403
    assert 'CIDR "192.168.50.200-" in pool "lan" is invalid' in str(failure)


async def test_refused_where_the_repository_has_no_such_version(build):
    world = build()
    world.helm.charts.clear()
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert 'helm: install metallb: exited with 1: Error: chart "metallb" version "0.15.2" not found' in str(failure)
    assert world.writes == []


async def test_refused_by_a_quota(build):
    world = build()

    def quota(kind, item):
        if kind.kind == "DaemonSet":
            raise forbidden(kind, item["metadata"]["name"], "exceeded quota")

    world.kubernetes.admission.append(quota)
    failure = await refused(world)
    assert "exceeded quota" in str(failure)
