"""The Flux graph becomes Ready; who only looked too early is asked to look again."""

import asyncio

import pytest

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.errors import Broken
from rebirth.events import Nudged
from rebirth.phases import converge
from rebirth.run.facts import FluxBootstrapped
from standins import charts
from standins.controllers import FLUX, Flux

NAMES = ("Kustomization", "kustomizations", "v1"), ("HelmRelease", "helmreleases", "v2")


def node(name, kind="Kustomization", *, after=(), **spec):
    place = {"name": name, "namespace": "flux-system"}
    depends = {"dependsOn": [{"name": other} for other in after]} if after else {}
    return {"apiVersion": FLUX[kind], "kind": kind, "metadata": place, "spec": {**depends, **spec}}


@pytest.fixture
def build(new_world):
    """A root, three levels below it and a release. `late` fails until 20 s have gone by: what it needs is not there before."""

    def new(*, fails=lambda name: "no such host"):
        world = new_world(converge, FluxBootstrapped("flux-system/flux-system"))
        cluster, loop = world.kubernetes, asyncio.get_running_loop()
        since = loop.time()
        world.flux = Flux(lambda name: fails(name) if name == "late" and loop.time() < since + 20 else "")
        cluster.put(charts.namespace("flux-system"))
        for kind, plural, version in NAMES:
            crd = charts.crd(FLUX[kind].partition("/")[0], kind, plural, version=version)
            cluster.condition(cluster.put(crd), "Established", "True")
        cluster.controllers.append(world.flux)
        graph = (node("flux-system"), node("late"), node("middle", after=["late"]), node("last", after=["middle"]),
                 node("redis", "HelmRelease"), node("paused", suspend=True))  # fmt: skip
        for item in graph:
            cluster.put(item, by="kustomize-controller")
        return world

    return new


async def test_from_nothing(build):
    world = build()
    fact = await world.create()
    assert fact.nodes == ("flux-system/flux-system", "flux-system/last", "flux-system/late", "flux-system/middle")
    assert asyncio.get_running_loop().time() < 60, "a failed node is asked again long before its interval"
    assert {"late", "middle", "last"} <= set(world.flux.asked)
    assert "redis" not in world.flux.asked, "what did not fail is left alone"
    assert any(isinstance(event, Nudged) and "flux-system/late now; it said: no such host" in event.text
               for event in world.events)  # fmt: skip


async def test_from_nothing_asks_a_failed_node_every_ten_seconds_and_no_more(build):
    world = build()
    await world.create()
    assert world.flux.asked.count("late") == 3, "at 3, 13 and 23 s: it fails until 20 s have gone by"


async def test_from_nothing_waits_for_a_root_that_is_still_to_come(build):
    world = build()
    root = node("flux-system")
    for item in world.kubernetes.all(FLUX["Kustomization"], "Kustomization"):
        world.kubernetes.take(item["apiVersion"], item["kind"], item["metadata"]["name"], "flux-system")
    world.kubernetes.after(50, lambda: world.kubernetes.put(root, by="rebirth"))
    assert (await world.create()).nodes == ("flux-system/flux-system",)


async def test_again(build):
    world = build()
    await again(world)
    world.kubernetes.condition(node("last"), "Ready", "False", "no such host")
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused(build):
    world = build()
    world.kubernetes.forbids = lambda verb, kind, namespace: "no rights" if verb == "list" else None
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert failure.status == 403


async def test_refused_by_a_node_that_never_gets_ready(build):
    world = build()
    world.flux.fails = lambda name: "invalid kustomization" if name == "late" else ""
    world.budget = 120
    assert "late: invalid kustomization" in str(await refused(world, within=121))
