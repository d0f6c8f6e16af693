"""The stand-in of the Kubernetes API, asked through lightkube: what the product relies on is there, in the API's words."""

import asyncio

import pytest
from lightkube import ApiError, AsyncClient, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Namespace, Secret, Service
from lightkube.types import PatchType

from standins.apiserver import kubernetes_app
from standins.conftest import write_kubeconfig
from standins.kubernetes import Kubernetes
from standins.statuses import denied
from standins.transport import InProcess

MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "default"}}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "ingots.forge.example"},
    "spec": {
        "group": "forge.example",
        "scope": "Namespaced",
        "names": {"kind": "Ingot", "plural": "ingots", "singular": "ingot"},
        "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}],
    },
}
Ingot = create_namespaced_resource("forge.example", "v1", "Ingot", "ingots")


@pytest.fixture
def kubernetes():
    return Kubernetes()


@pytest.fixture
def asked(kubernetes):
    return InProcess(kubernetes_app(kubernetes))


@pytest.fixture
async def api(asked, paths):
    write_kubeconfig(paths.kubeconfig, "http://kubernetes.test")
    config = KubeConfig.from_file(str(paths.kubeconfig))
    client = AsyncClient(config=config, transport=asked, trust_env=False)
    yield client
    await client.close()


async def apply(api, resource, item, *, by="a", force=False, **options):
    paths = {"namespace": item["metadata"]["namespace"]} if "namespace" in item["metadata"] else {}
    options |= {"patch_type": PatchType.APPLY, "field_manager": by, "force": force}
    return await api.patch(resource, item["metadata"]["name"], item, **paths, **options)


async def refused(call):
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value.status


async def test_what_is_not_there_and_what_is_there_already(api):
    status = await refused(api.get(Secret, "s", namespace="default"))
    assert (status.code, status.reason, status.message) == (404, "NotFound", 'secrets "s" not found')
    status = await refused(
        apply(api, Secret, {"metadata": {"name": "s", "namespace": "nowhere"}, "apiVersion": "v1", "kind": "Secret"})
    )
    assert (status.code, status.message) == (404, 'namespaces "nowhere" not found')
    await api.create(ConfigMap.from_dict(MAP))
    status = await refused(api.create(ConfigMap.from_dict(MAP)))
    assert (status.code, status.reason, status.message) == (409, "AlreadyExists", 'configmaps "m" already exists')
    await api.delete(ConfigMap, "m", namespace="default")
    assert (await refused(api.delete(ConfigMap, "m", namespace="default"))).code == 404


async def test_apply_keeps_what_others_own_and_takes_back_what_is_no_longer_said(api):
    await apply(api, ConfigMap, {**MAP, "data": {"a": "1", "b": "1"}})
    await apply(api, ConfigMap, {**MAP, "data": {"c": "1"}}, by="b")
    found = await apply(api, ConfigMap, {**MAP, "data": {"a": "2"}})
    assert found.data == {"a": "2", "c": "1"}
    status = await refused(apply(api, ConfigMap, {**MAP, "data": {"a": "3"}}, by="b"))
    assert (status.code, status.reason) == (409, "Conflict")
    assert status.message == 'Apply failed with 1 conflict: conflict with "a" using v1: .data.a'
    assert (await apply(api, ConfigMap, {**MAP, "data": {"a": "3"}}, by="b", force=True)).data == {"a": "3"}


async def test_what_changes_nothing_is_no_write(api, kubernetes):
    made = await apply(api, ConfigMap, {**MAP, "data": {"a": "1"}})
    again = await apply(api, ConfigMap, {**MAP, "data": {"a": "1"}})
    await apply(api, ConfigMap, {**MAP, "data": {"a": "2"}}, dry_run=True)
    assert again.metadata.resourceVersion == made.metadata.resourceVersion
    assert kubernetes.writes == ["apply configmaps default/m"]
    assert kubernetes.get("v1", "ConfigMap", "m", "default")["data"] == {"a": "1"}


async def test_apply_needs_a_manager_and_names_that_agree(api):
    status = await refused(apply(api, ConfigMap, MAP, by=""))
    assert status.code == 422
    assert "fieldManager: Required value: is required for apply patch" in status.message
    options = {"patch_type": PatchType.APPLY, "field_manager": "a", "namespace": "default"}
    status = await refused(api.patch(ConfigMap, "other", MAP, **options))
    assert (status.code, status.message) == (
        400,
        "the name of the object (m) does not match the name on the URL (other)",
    )


async def test_merge_patch_and_versions(api):
    await apply(api, ConfigMap, {**MAP, "data": {"a": "1", "b": "1"}})
    options = {"patch_type": PatchType.MERGE, "namespace": "default"}
    found = await api.patch(ConfigMap, "m", {"data": {"a": None, "c": "1"}}, **options)
    assert found.data == {"b": "1", "c": "1"}
    status = await refused(api.patch(ConfigMap, "m", {"metadata": {"resourceVersion": "1"}}, **options))
    assert (status.code, status.reason) == (409, "Conflict")
    assert "the object has been modified" in status.message


async def test_a_list_by_labels_in_one_namespace_and_in_all(api):
    await api.create(Namespace.from_dict({"metadata": {"name": "blog", "labels": {"tier": "web"}}}))
    for namespace, labels in (("default", {"app": "x"}), ("blog", {"app": "y"}), ("kube-system", {})):
        await apply(api, ConfigMap, {**MAP, "metadata": {"name": "m", "namespace": namespace, "labels": labels}})

    async def where(**options):
        return [item.metadata.namespace async for item in api.list(ConfigMap, **options)]

    assert await where(namespace="*") == ["blog", "default", "kube-system"]
    assert await where(namespace="blog") == ["blog"]
    assert await where(namespace="*", labels={"app": "x"}) == ["default"]
    assert await where(namespace="*", labels={"app": ["x", "y"]}) == ["blog", "default"]
    assert [item.metadata.name async for item in api.list(Namespace, labels={"tier": "web"})] == ["blog"]


async def test_a_kind_is_served_once_its_crd_is_established(api, kubernetes, asked):
    client = api._client._client
    assert (await client.get("/apis/forge.example/v1")).status_code == 404
    unserved = await client.get("/apis/forge.example/v1/namespaces/default/ingots")
    assert (unserved.status_code, unserved.text) == (404, "404 page not found\n")
    crd = kubernetes.put(CRD)
    assert (await client.get("/apis/forge.example/v1")).status_code == 404
    kubernetes.condition(crd, "Established", "True")
    listed = (await client.get("/apis/forge.example/v1")).json()["resources"]
    assert [(entry["name"], entry["kind"], entry["namespaced"]) for entry in listed] == [
        ("ingots", "Ingot", True), ("ingots/status", "Ingot", True),
    ]  # fmt: skip
    assert "forge.example" in [group["name"] for group in (await client.get("/apis")).json()["groups"]]
    item = {"apiVersion": "forge.example/v1", "kind": "Ingot", "metadata": {"name": "i", "namespace": "default"}}
    assert (await apply(api, Ingot, {**item, "spec": {"weight": 1}})).metadata.generation == 1
    status = await refused(
        api.get(create_namespaced_resource("apps", "v1", "Ingot", "ingots"), "i", namespace="default")
    )
    assert (status.code, status.message) == (404, "the server could not find the requested resource")


async def test_a_status_is_written_by_its_own_subresource(api, kubernetes):
    item = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "default"}}
    spec = {"selector": {}, "template": {}}
    made = await apply(api, Deployment, {**item, "spec": {**spec, "replicas": 2}, "status": {"replicas": 9}})
    assert made.status is None
    kubernetes.condition(item, "Available", "True")
    found = await api.get(Deployment, "d", namespace="default")
    assert (found.metadata.generation, found.status.observedGeneration) == (1, 1)
    assert (await apply(api, Deployment, {**item, "spec": {**spec, "replicas": 3}})).metadata.generation == 2


async def test_a_watch_shows_what_is_there_and_what_changes(api, kubernetes):
    seen = []

    async def watch(**options):
        async for kind, item in api.watch(ConfigMap, namespace="default", **options):
            seen.append((kind, item.metadata.name, (item.data or {}).get("a")))

    await apply(api, ConfigMap, {**MAP, "data": {"a": "1"}})
    task = asyncio.create_task(watch())
    await asyncio.sleep(1)
    await apply(api, ConfigMap, {**MAP, "data": {"a": "2"}})
    await apply(api, ConfigMap, {**MAP, "metadata": {"name": "m", "namespace": "kube-system"}})
    await api.delete(ConfigMap, "m", namespace="default")
    kubernetes.changes.end()  # lightkube asks again, from the last version that it saw
    await asyncio.sleep(1)
    await apply(api, ConfigMap, {**MAP, "data": {"a": "3"}})
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert seen == [("ADDED", "m", "1"), ("MODIFIED", "m", "2"), ("DELETED", "m", "2"), ("ADDED", "m", "3")]
    assert not kubernetes.changes.watches


async def test_a_watch_of_what_is_forgotten(api, kubernetes):
    kubernetes.put(MAP)
    kubernetes.changes.forget()
    with pytest.raises(ApiError) as caught:
        async for _ in api.watch(ConfigMap, namespace="default", resource_version="1"):
            pass
    assert (caught.value.status.code, caught.value.status.reason) == (410, "Expired")


async def test_what_cannot_change(api):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}}
    await apply(api, Secret, {**secret, "type": "Opaque"})
    status = await refused(apply(api, Secret, {**secret, "type": "other"}))
    assert (status.code, status.reason) == (422, "Invalid")
    assert status.message == 'Secret "s" is invalid: type: Invalid value: "other": field is immutable'


async def test_an_address_that_another_service_has(api):
    def service(name, address):
        paths = {"name": name, "namespace": "default"}
        return {"apiVersion": "v1", "kind": "Service", "metadata": paths, "spec": {"clusterIP": address}}

    await apply(api, Service, service("one", "10.96.0.10"))
    status = await refused(apply(api, Service, service("two", "10.96.0.10")))
    assert status.code == 422
    assert status.message.endswith("failed to allocate IP 10.96.0.10: provided IP is already allocated")
    assert "not in the valid range" in (await refused(apply(api, Service, service("two", "10.0.0.1")))).message


async def test_a_namespace_that_goes_away_takes_its_contents_and_nothing_new(api, kubernetes):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blog", "finalizers": ["x"]}}
    kubernetes.put(namespace)
    await api.delete(Namespace, "blog")
    item = {**MAP, "metadata": {"name": "m", "namespace": "blog"}}
    status = await refused(apply(api, ConfigMap, item))
    assert status.code == 403
    assert status.message.endswith("unable to create new content in namespace blog because it is being terminated")
    kubernetes.put({**namespace, "metadata": {"name": "blog"}}, by="kubernetes")
    assert (await refused(api.get(Namespace, "blog"))).code == 404


async def test_rights_credentials_and_webhooks(api, kubernetes):
    kubernetes.forbids = lambda verb, kind, namespace: f"no {verb} in {namespace}" if kind.plural == "secrets" else None
    status = await refused(api.get(Secret, "s", namespace="default"))
    assert (status.code, status.message) == (403, 'secrets "s" is forbidden: no get in default')

    def webhook(kind, item):
        raise denied("maps.example", "not today")

    kubernetes.admission.append(webhook)
    status = await refused(apply(api, ConfigMap, MAP, dry_run=True))
    assert (status.code, status.message) == (403, 'admission webhook "maps.example" denied the request: not today')
    kubernetes.trusts = False
    assert (await refused(api.get(ConfigMap, "m", namespace="default"))).code == 401
    assert kubernetes.writes == []
