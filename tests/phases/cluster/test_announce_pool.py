"""The addresses that Cilium announces."""

import pytest

from phases.cluster.world import again, killed_after_each_write, refused, with_cilium
from rebirth.errors import Broken
from rebirth.phases import announce_pool
from rebirth.run.facts import CiliumInstalled
from standins import charts
from standins.controllers import establishes

POOL = {"name": "lan", "addresses": ["192.168.50.200-192.168.50.220", "fd00:50::/120"], "interfaces": ["^eth0$"]}


@pytest.fixture
def build(new_world):
    """Cilium's operator brings the CRDs after 20 s."""

    def new(version="v2"):
        world = new_world(announce_pool, CiliumInstalled("1.18.4"), castle=with_cilium(pool=POOL))
        world.kubernetes.controllers.append(establishes())
        for crd in charts.cilium_crds(version):
            world.kubernetes.after(20, lambda crd=crd: world.kubernetes.put(crd, by="cilium-operator"))
        return world

    return new


@pytest.mark.parametrize("version", ["v2", "v2alpha1"])
async def test_from_nothing(build, version):
    world = build(version)
    assert (await world.create()).name == "lan"
    found = world.kubernetes.get(f"cilium.io/{version}", charts.LB_POOL[0], "lan")
    assert found["spec"]["blocks"] == [
        {"start": "192.168.50.200", "stop": "192.168.50.220"},
        {"cidr": "fd00:50::/120"},
    ]
    policy = world.kubernetes.get("cilium.io/v2alpha1", charts.L2_POLICY[0], "lan")
    assert policy["spec"] == {"loadBalancerIPs": True, "externalIPs": True, "interfaces": ["^eth0$"]}
    assert await world.holds()


async def test_again(build):
    await again(build())


async def test_again_where_the_pool_was_changed(build):
    world = build()
    await world.create()
    found = world.kubernetes.get("cilium.io/v2", charts.LB_POOL[0], "lan")
    changed = {**found, "spec": {"blocks": []}}
    changed["metadata"].pop("managedFields")
    world.kubernetes.put(changed, by="somebody")
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused(build):
    world = build()
    world.kubernetes.forbids = lambda verb, kind, namespace: "no rights" if verb == "patch" else None
    failure = await refused(world, within=30)
    assert isinstance(failure, Broken)
    assert failure.status == 403
