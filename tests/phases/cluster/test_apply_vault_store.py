"""The store's object, once the API server takes it."""

import pytest

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.errors import Broken
from rebirth.phases import apply_vault_store
from rebirth.run.facts import ExternalSecretsInstalled, SecretsPlaced
from standins import charts
from standins.controllers import establishes
from standins.statuses import denied, without_webhook

STORE = "external-secrets.io/v1", "ClusterSecretStore", "tazlab-secrets-vault"


@pytest.fixture
def build(new_world):
    """Its CRD is established after 3 s."""

    def new():
        world = new_world(apply_vault_store, ExternalSecretsInstalled("1"), SecretsPlaced(()))
        world.kubernetes.controllers.append(establishes(3))
        world.kubernetes.put(charts.STORES)
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).name == "tazlab-secrets-vault"
    vault = world.kubernetes.get(*STORE)["spec"]["provider"]["vault"]
    assert vault["server"] == "https://lushycorp-vault.magellanic-gondola.ts.net:8200"
    assert vault["auth"]["tokenSecretRef"] == {
        "namespace": "external-secrets",
        "name": "vault-eso-token",
        "key": "token",
    }
    assert world.writes == ["apply clustersecretstores.external-secrets.io tazlab-secrets-vault"]


async def test_from_nothing_with_a_webhook_that_is_away_for_a_while(build):
    world, away = build(), [True]

    def webhook(kind, item):
        if away and kind.kind == "ClusterSecretStore":
            raise without_webhook(
                "validate.clustersecretstore.external-secrets.io", "external-secrets-webhook", "external-secrets"
            )

    world.kubernetes.admission.append(webhook)
    world.kubernetes.after(30, away.clear)
    await world.create()


async def test_again(build):
    world = build()
    await again(world)
    world.kubernetes.take(*STORE)
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused(build):
    world = build()

    def webhook(kind, item):
        raise denied("validate.clustersecretstore.external-secrets.io", "invalid vault auth")

    world.kubernetes.admission.append(webhook)
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert failure.status == 403
    assert "apply ClusterSecretStore tazlab-secrets-vault" in str(failure)
