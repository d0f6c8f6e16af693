"""What online means is ready, where nothing has an address."""

import pytest

from phases.cluster.world import again, castle_with, refused
from rebirth.errors import Broken
from rebirth.phases import await_ready
from rebirth.run.facts import FluxBootstrapped
from standins import charts
from standins.controllers import Flux, establishes, rolls_out

TUNNEL = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "cloudflared", "namespace": "network"},
    "spec": {"replicas": 2, "template": {}},
}


@pytest.fixture
def build(new_world):
    """Flux brings the tunnel after 40 s; its pods are Ready after a while."""

    def new(*, rolled_out=True):
        online = {"tunnel": {"namespace": "network", "name": "cloudflared"}}
        world = new_world(await_ready, FluxBootstrapped("flux-system/flux-system"), castle=castle_with(online=online))
        cluster = world.kubernetes
        if rolled_out:
            cluster.controllers.append(rolls_out())
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "network"}}
        cluster.after(40, lambda: cluster.put(space))
        cluster.after(40, lambda: cluster.put(TUNNEL, by="kustomize-controller"))
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).name == "the Deployment network/cloudflared"
    assert not [what for what in world.writes if "cloudflared" not in what]


async def test_again(build):
    world = build()
    await again(world)
    world.kubernetes.status(TUNNEL, {"availableReplicas": 0})
    assert not await world.holds()


async def test_killed_while_it_waits(build):
    world = build()
    await world.kill_after(41)
    assert await world.create()


async def test_refused(build):
    world = build()
    world.kubernetes.forbids = lambda verb, kind, namespace: "no rights" if verb == "get" else None
    failure = await refused(world)
    assert isinstance(failure, Broken)


async def test_refused_by_pods_that_never_become_ready(build):
    failure = await refused(build(rolled_out=False), within=await_ready.PATIENCE + 1)
    assert "the Deployment network/cloudflared is ready" in str(failure)


async def test_from_nothing_a_kustomization(new_world):
    online = {"kustomization": {"namespace": "flux-system", "name": "apps"}}
    world = new_world(await_ready, FluxBootstrapped("flux-system/flux-system"), castle=castle_with(online=online))
    cluster = world.kubernetes
    cluster.controllers += [establishes(), Flux()]
    cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}})
    cluster.put(charts.crd("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations"))
    apps = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": "flux-system"},
        "spec": {"path": "./apps"},
    }
    cluster.after(20, lambda: cluster.put(apps, by="kustomize-controller"))
    assert (await world.create()).name == "the Kustomization flux-system/apps"
    assert await world.holds()
