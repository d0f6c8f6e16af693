"""Fields that somebody else owns are refused with his name; those of Flux and Helm, which apply the same castle, are taken."""

import pytest

from phases.cluster.world import World, refused
from proof.virtual_time import VirtualTime
from rebirth.errors import Broken
from rebirth.phases import place_secrets
from rebirth.run.facts import NamespacesCreated, RepositoryRead
from standins import charts


def pytest_asyncio_loop_factories(config, item):
    return {"virtual": VirtualTime}


@pytest.fixture
def world(tmp_path):
    """A cluster in which the castle's Secrets are to be placed."""
    made = World(place_secrets, tmp_path, (NamespacesCreated(()), RepositoryRead("0" * 40, ())))
    for name in made.castle.engine.namespaces:
        made.kubernetes.put(charts.namespace(name))
    return made


PLACE = {"name": "flux-system", "namespace": "flux-system"}
WHERE = "v1", "Secret", "flux-system", "flux-system"


def theirs(world, by):
    data = {"username": "c29tZWJvZHk=", "extra": "a2VwdA=="}
    world.kubernetes.put(
        {"apiVersion": "v1", "kind": "Secret", "metadata": PLACE, "type": "Opaque", "data": data}, by=by
    )


async def test_another_managers_fields_are_refused_with_its_name(world):
    theirs(world, "kubectl-edit")
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert str(failure) == (
        "Kubernetes: apply Secret flux-system/flux-system: kubectl-edit owns .data.username, with other values"
    )
    assert "kubectl" in failure.hint
    assert "patch Secret flux-system --namespace flux-system" in failure.hint
    assert world.kubernetes.get(*WHERE)["data"]["username"] == "c29tZWJvZHk=", "it is as it was"


@pytest.mark.parametrize("by", ["kustomize-controller", "helm-controller", "helm"])
async def test_what_flux_or_helm_applied_is_taken(world, by):
    theirs(world, by)
    await world.create()
    held = world.kubernetes.get(*WHERE)["data"]
    assert held["username"] == "Z2l0"
    assert held["extra"] == "a2VwdA==", "what nobody disputes stays"


async def test_another_managers_field_of_the_same_value_is_shared(world):
    await world.create()
    same = world.kubernetes.get(*WHERE)
    same["metadata"] = PLACE
    world.kubernetes.put(same, by="kubectl-edit")
    await world.create()
