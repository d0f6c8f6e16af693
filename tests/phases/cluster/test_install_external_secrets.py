"""The External Secrets Operator, until its webhook admits a store."""

import asyncio

import pytest

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.errors import Broken
from rebirth.phases import install_external_secrets
from rebirth.run.facts import NamespacesCreated
from standins import charts
from standins.controllers import Webhook, establishes, rolls_out
from standins.statuses import denied


@pytest.fixture
def build(new_world):
    """The chart; its CRDs are established after 1 s, its pods Ready after 4 s, and the webhook needs to be woken."""

    def new():
        world = new_world(install_external_secrets, NamespacesCreated(()))
        cluster, chart = world.kubernetes, world.castle.engine.external_secrets
        cluster.put(charts.namespace(chart.namespace))
        world.helm.charts[chart.repository, "external-secrets", chart.version] = charts.external_secrets
        cluster.controllers += [establishes(1), rolls_out(4)]
        cluster.admission.append(
            Webhook(cluster, "validate.clustersecretstore.external-secrets.io", "external-secrets-webhook",
                    chart.namespace, frozenset({"ClusterSecretStore"}), "external-secrets-webhook-0", needs_waking=True)
        )  # fmt: skip
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).version == "0.20.4"
    assert asyncio.get_running_loop().time() < 15, "the webhook's pods are woken, and not waited for"
    assert world.helm.values["external-secrets"] == {"installCRDs": True}
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


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused_by_its_webhook(build):
    world = build()

    def webhook(kind, item):
        if kind.kind == "ClusterSecretStore":
            raise denied("validate.clustersecretstore.external-secrets.io", "invalid vault auth")

    world.kubernetes.admission.append(webhook)
    failure = await refused(world, within=15)
    assert isinstance(failure, Broken)
    assert failure.status == 403
    assert "invalid vault auth" in str(failure)
    assert world.kubernetes.all("external-secrets.io/v1", "ClusterSecretStore") == []


async def test_refused_where_the_repository_has_no_such_version(build):
    world = build()
    world.helm.charts.clear()
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert 'chart "external-secrets" version "0.20.4" not found' in str(failure)
