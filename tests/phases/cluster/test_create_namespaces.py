"""The namespaces, with what Pod Security must allow in them."""

import pytest

from phases.cluster.world import again, killed_after_each_write, refused
from rebirth.errors import Broken
from rebirth.phases import create_namespaces


@pytest.fixture
def build(new_world):
    return lambda: new_world(create_namespaces)


async def test_from_nothing(build):
    world = build()
    fact = await world.create()
    assert fact.names == ("blog", "external-secrets", "flux-system", "longhorn-system", "metallb-system", "tailscale")
    labels = {name: world.kubernetes.get("v1", "Namespace", name)["metadata"]["labels"] for name in fact.names}
    enforced = {name for name in fact.names if labels[name].get("pod-security.kubernetes.io/enforce") == "privileged"}
    assert enforced == {"longhorn-system", "metallb-system"}
    assert len(world.writes) == len(fact.names)


async def test_again(build):
    await again(build())


async def test_again_leaves_labels_of_others(build):
    world = build()
    world.kubernetes.put(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blog", "labels": {"team": "web"}}}, by="flux"
    )
    await world.create()
    assert world.kubernetes.get("v1", "Namespace", "blog")["metadata"]["labels"]["team"] == "web"


async def test_again_where_one_was_removed(build):
    world = build()
    await world.create()
    world.kubernetes.take("v1", "Namespace", "blog")
    assert not await world.holds()
    await world.create()
    assert world.writes.count("apply namespaces blog") == 2


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused(build):
    world = build()
    world.kubernetes.forbids = lambda verb, kind, namespace: "no rights" if verb == "patch" else None
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert failure.status == 403
    assert "is forbidden: no rights" in str(failure)
    assert world.writes == []
