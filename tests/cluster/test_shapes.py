"""What answers in the place of the API server is not believed, whatever was asked: reading, writing or removing."""

import json

import pytest
from starlette.responses import Response

from rebirth.errors import NoAnswer, NotYet
from rebirth.providers.cluster import Cluster, missing_replicas
from rebirth.providers.shapes import shaped
from standins import charts
from standins.apiserver import kubernetes_app
from standins.conftest import write_kubeconfig
from standins.transport import InProcess

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}}
_NAME = {"name": "s", "namespace": "default"}


@pytest.fixture
async def instead(inside, paths):
    """A client whose requests for Secrets get another answer: of which methods, and which."""
    served, opened = kubernetes_app(inside.kubernetes), []

    def client(body, *methods):
        async def proxy(scope, receive, send):
            if scope["path"].startswith("/api/v1/") and scope["method"] in methods:
                await Response(json.dumps(body), media_type="application/json")(scope, receive, send)
            else:
                await served(scope, receive, send)

        opened.append(Cluster(paths=paths, transport=InProcess(proxy)))
        return opened[-1]

    yield client
    for cluster in opened:
        await cluster.close()


@pytest.mark.parametrize(
    "body", [{"status": "ok"}, {"message": "fine"}, {}, {"metadata": {}}, {"metadata": {"name": 1}}]
)
async def test_success_of_a_write_in_another_shape_is_none(inside, instead, body):
    cluster = instead(body, "PATCH")
    with pytest.raises(NoAnswer, match="Kubernetes: apply Secret default/s: the answer is not a Kubernetes object"):
        await cluster.apply(SECRET)
    with pytest.raises(NoAnswer, match="Kubernetes: admit Secret default/s: the answer is not"):
        await cluster.admits(SECRET)
    inside.kubernetes.put(SECRET)
    with pytest.raises(NoAnswer, match="Kubernetes: patch Secret s: the answer is not"):
        await cluster.merge("v1", "Secret", "s", "default", {"metadata": {"labels": {"a": "b"}}})


async def test_success_of_a_removal_is_looked_for(inside, instead):
    inside.kubernetes.put(SECRET)
    with pytest.raises(NotYet, match="Kubernetes: delete Secret s: it is still there") as caught:
        await instead({"status": "ok"}, "DELETE").delete("v1", "Secret", "s", "default")
    assert "kubernetes.endpoint" in caught.value.hint
    await inside.cluster.delete("v1", "Secret", "s", "default")
    await inside.cluster.delete("v1", "Secret", "s", "default")
    assert inside.kubernetes.get("v1", "Secret", "s", "default") is None


async def test_what_is_being_removed_is_not_still_there(inside, instead):
    """A pod goes when its grace is over."""
    inside.kubernetes.put({**SECRET, "metadata": {**_NAME, "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    await instead({"status": "Success"}, "DELETE").delete("v1", "Secret", "s", "default")


async def test_that_something_exists_is_not_believed_of_anybody(inside, instead):
    with pytest.raises(NotYet, match="Kubernetes: get Secret s: the answer is not a row of a table"):
        await instead({"status": "ok"}, "GET").exists("v1", "Secret", "s", "default")
    assert not await inside.cluster.exists("v1", "Secret", "s", "default")


@pytest.mark.parametrize("name", ["a\x00b", "x" * 70_000])
async def test_what_nobody_can_ask_for_is_not_there(inside, name):
    """Objects name others as somebody has written it."""
    assert not await inside.cluster.exists("v1", "Secret", name, "default")
    assert await inside.cluster.find(f"forge.example/{name}", "Ingot", "x") is None


@pytest.mark.parametrize(
    "other", [{"name": "sec\x00rets"}, {"kind": ["Secret"]}, {"namespaced": "true"}, {"name": None}]
)
async def test_a_list_of_kinds_in_another_shape_is_none(paths, other):
    entry = {"name": "secrets", "kind": "Secret", "namespaced": True, **other}

    async def proxy(scope, receive, send):
        await Response(json.dumps({"resources": [entry]}), media_type="application/json")(scope, receive, send)

    write_kubeconfig(paths.kubeconfig, "http://kubernetes.test")
    cluster = Cluster(paths=paths, transport=InProcess(proxy))
    for call in (cluster.all("v1", "Secret"), anext(cluster.changes("v1", "Secret"))):
        with pytest.raises(NotYet, match=r"discovery of v1: the answer is not a list of kinds|watch Secret"):
            await call
    await cluster.close()


EXTERNAL = {"metadata": _NAME, "spec": {"data": [{"secretKey": "a", "remoteRef": {"key": "k", "property": "p"}}]}}
GRAPH = {
    "metadata": _NAME,
    "spec": {
        "dependsOn": [{"name": "infra"}],
        "healthChecks": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}],
        "postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]},
    },
    "status": {"conditions": [{"type": "Ready", "status": "True"}], "inventory": {"entries": [{"id": "a_b_c_d"}]}},
}


@pytest.mark.parametrize(("kind", "item"), [("ExternalSecret", EXTERNAL), ("Kustomization", GRAPH)])
def test_every_field_that_is_looked_into_has_its_type(kind, item):
    assert shaped(item, kind) == item
    for path in _paths(item):
        for other in (17, [[]], {"a": []}):
            if not isinstance(other, type(_at(item, path))):
                with pytest.raises((LookupError, TypeError)):
                    shaped(_with(item, path, other), kind)


def test_what_is_missing_or_null_is_no_other_shape():
    workload = charts.workload("Deployment", "web", "default")
    assert shaped({**workload, "status": None, "spec": {"replicas": None, "selector": {}}}, "Deployment")
    for lacks in ({}, {"metadata": None}, {"metadata": {"namespace": "default"}}):
        with pytest.raises(LookupError):
            shaped(lacks, "Deployment")


def _paths(value, path=()):
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _paths(one, (*path, key))


def _at(value, path):
    for key in path:
        value = value[key]
    return value


def _with(value, path, other):
    if not path:
        return other
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = _with(value[path[0]], path[1:], other)
    return changed


def test_numbers_that_are_null_are_not_there():
    item = {
        "metadata": {"name": "a", "generation": None},
        "spec": {"replicas": None},
        "status": {"observedGeneration": None, "desiredNumberScheduled": None, "availableReplicas": None},
    }
    assert missing_replicas(item) == "0 of 1 replicas are available"
    assert missing_replicas({**item, "spec": {"replicas": 0}}) == ""
