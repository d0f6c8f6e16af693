"""External Secrets that Flux installs: the castle's store waits until its webhook admits it."""

import asyncio

import pytest

from phases.cluster.world import again, refused
from rebirth.castle import ExternalSecretsOfFlux
from rebirth.errors import Broken
from rebirth.phases import await_external_secrets
from rebirth.run.facts import FluxBootstrapped
from standins import charts
from standins.controllers import establishes


@pytest.fixture
def build(new_world):
    """Flux brings the CRDs 30 s after the phase began."""

    def new(*, brings=30.0):
        world = new_world(await_external_secrets, FluxBootstrapped("flux-system/flux-system"))
        engine = world.castle.engine.model_copy(update={"external_secrets": ExternalSecretsOfFlux(installed_by="flux")})
        world.castle = world.castle.model_copy(update={"engine": engine})
        cluster = world.kubernetes
        cluster.controllers.append(establishes(1))
        asyncio.get_running_loop().call_later(brings, lambda: cluster.put(charts.STORES))
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).version == ""
    assert 30 < asyncio.get_running_loop().time() < 40
    assert world.kubernetes.all("external-secrets.io/v1", "ClusterSecretStore") == [], "it was asked for, not made"


async def test_again(build):
    await again(build())


async def test_again_where_its_crds_are_gone(build):
    world = build()
    await world.create()
    world.kubernetes.take(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "clustersecretstores.external-secrets.io"
    )
    assert not await world.holds()


async def test_killed_while_it_waits(build):
    world = build()
    await world.kill_after(10)
    assert world.writes == []
    await world.create()


async def test_refused_where_flux_never_brings_it(build):
    world = build(brings=1e6)
    failure = await refused(world, within=await_external_secrets.PATIENCE + 1)
    assert isinstance(failure, Broken)
    assert "the CRD clustersecretstores.external-secrets.io is established" in str(failure)
