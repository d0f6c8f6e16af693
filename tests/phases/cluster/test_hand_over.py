"""A password that is made in the cluster reaches Vault, and comes back to who waits for it."""

import base64

import pytest

from phases.cluster.world import again, killed_after_each_write, lose_a_volume, refused
from rebirth.errors import Broken
from rebirth.phases import hand_over
from rebirth.run.facts import VaultStoreApplied
from standins import charts
from standins.controllers import EXTERNAL, ExternalSecrets, rolls_out

PATH, PROPERTY, PASSWORD = "tazlab-k8s/static/monitoring/grafana", "GRAFANA_DB_PASSWORD", "born-in-the-cluster"
SPEC = {"data": [{"secretKey": "password", "remoteRef": {"key": PATH, "property": PROPERTY}}]}
BORN = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "tazlab-db-pguser-grafana", "namespace": "tazlab-db"},
}


@pytest.fixture
def build(new_world):
    """The password is made after 10 s; the ExternalSecret reads it from Vault, and Grafana starts once it has it."""

    def new():
        world = new_world(hand_over, VaultStoreApplied("tazlab-secrets-vault"))
        cluster = world.kubernetes

        def read(name):
            held = world.vault.held(PATH)
            return {"password": held[PROPERTY]} if PROPERTY in held else {}

        operator = ExternalSecrets(read=read)
        cluster.controllers += [operator, rolls_out(3)]
        cluster.condition(cluster.put(charts.EXTERNALS), "Established", "True")
        for name in ("monitoring", "tazlab-db"):
            cluster.put(charts.namespace(name))
        place = {"name": "grafana-db", "namespace": "monitoring"}
        cluster.put({"apiVersion": EXTERNAL, "kind": "ExternalSecret", "metadata": place, "spec": SPEC}, by="flux")
        cluster.put(charts.workload("Deployment", "grafana", "monitoring"), by="flux")
        data = {"password": base64.b64encode(PASSWORD.encode()).decode()}
        cluster.after(10, lambda: cluster.put({**BORN, "data": data}, by="pgo"))
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).names == ("grafana-database-password",)
    assert world.vault.held(PATH) == {PROPERTY: PASSWORD}


async def test_from_nothing_leaves_other_properties_as_they_are(build):
    world = build()
    world.vault.answer("POST", f"/v1/secret/data/{PATH}", world.vault.token, {"data": {"ADMIN": "kept"}})
    await world.create()
    assert world.vault.held(PATH) == {"ADMIN": "kept", PROPERTY: PASSWORD}


async def test_from_nothing_where_the_answer_to_the_write_gets_lost(build):
    world = build()
    world.vault.lost = 1
    await world.create()
    assert world.vault.writes == [PATH], "it is looked at again, and not written twice"


async def test_from_nothing_with_a_vault_that_is_sealed_for_a_while(build):
    world = build()
    world.vault.sealed = True
    world.kubernetes.after(60, lambda: setattr(world.vault, "sealed", False))
    await world.create()
    assert world.vault.held(PATH) == {PROPERTY: PASSWORD}


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused(build):
    world = build()
    world.vault.capabilities = frozenset({"read"})
    failure = await refused(world, within=15)
    assert isinstance(failure, Broken)
    assert failure.status == 403
    assert "engine.vault.token" in failure.hint
    assert PASSWORD not in str(failure)


async def test_refused_by_a_secret_that_nobody_makes(build):
    world = build()
    world.kubernetes.controllers.clear()
    world.castle = world.castle.model_copy(update={"handovers": [
        handover.model_copy(update={"born_in": handover.born_in.model_copy(update={"key": "other"})})
        for handover in world.castle.handovers
    ]})  # fmt: skip
    said = str(await refused(world, within=hand_over.PATIENCE + 1))
    assert "the secret tazlab-db/tazlab-db-pguser-grafana is generated: has no key other" in said


async def test_refused_where_the_databases_volume_is_lost(build):
    world = build()
    world.kubernetes.after(9, world.kubernetes.controllers.clear)
    world.kubernetes.put = _without(world.kubernetes.put, "Secret")
    lose_a_volume(world, "tazlab-db")
    failure = await refused(world, within=60)
    assert isinstance(failure, Broken)
    said = "the volume pvc-1 (claim tazlab-db/pgdata, used by the pod db-0) lies on worker-9, and there is no such node"
    assert said in str(failure)
    assert "kubectl --namespace tazlab-db delete --force pvc/pgdata pod/db-0" in failure.hint


async def test_from_nothing_where_a_volume_of_somebody_else_is_lost(build):
    world = build()
    world.kubernetes.put(charts.namespace("elsewhere"))
    lose_a_volume(world, "elsewhere")
    await world.create()


def _without(put, kind):
    return lambda item, **options: None if item["kind"] == kind else put(item, **options)


async def test_again(build):
    await again(build())


async def test_again_after_the_password_was_made_anew(build):
    world = build()
    await world.create()
    data = {"password": base64.b64encode(b"another").decode()}
    world.kubernetes.put({**BORN, "data": data}, by="pgo")
    assert not await world.holds()
    await world.create()
    assert world.vault.held(PATH) == {PROPERTY: "another"}
