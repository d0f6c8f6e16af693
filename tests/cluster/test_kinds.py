"""The API server is asked which kinds it serves: names and scopes are not guessed."""

import asyncio

import pytest
from starlette.responses import HTMLResponse, Response

from rebirth.errors import Broken, NotYet
from rebirth.providers.cluster import Cluster
from standins.apiserver import kubernetes_app
from standins.conftest import write_kubeconfig
from standins.statuses import Refused
from standins.transport import InProcess


def custom(kind, name="x", group="forge.example", **meta):
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": name, **meta}, "spec": {"a": 1}}


@pytest.mark.parametrize(
    ("kind", "plural"), [("OCIRepository", "ocirepositories"), ("AlloyClass", "alloyclasses"), ("Sheep", "sheep")]
)
async def test_plurals_are_the_api_server_s(inside, kind, plural):
    inside.serve("forge.example", "v1", kind, plurals={kind: plural})
    await inside.cluster.apply(custom(kind, namespace="default"))
    found = await inside.cluster.find("forge.example/v1", kind, "x", "default")
    assert found["spec"] == {"a": 1}
    assert [item["metadata"]["name"] for item in await inside.cluster.all("forge.example/v1", kind)] == ["x"]
    assert inside.kubernetes.writes == [f"apply {plural}.forge.example default/x"]


async def test_a_process_that_goes_on_makes_no_class_twice(inside, paths):
    """The client library keeps something of each for ever: a process with many clients, one after another, grew by megabytes."""
    other = Cluster(paths=paths, transport=InProcess(kubernetes_app(inside.kubernetes)))
    first, second = [await one._kinds.of("v1", "ConfigMap") for one in (inside.cluster, other)]
    await other.close()
    assert first is second


async def test_scopes_are_the_api_server_s(inside):
    inside.serve("forge.example", "v1", "Furnace", scope="Cluster")
    await inside.cluster.apply(custom("Furnace"))
    assert await inside.cluster.find("forge.example/v1", "Furnace", "x")
    assert len(await inside.cluster.all("forge.example/v1", "Furnace")) == 1
    await inside.cluster.merge("forge.example/v1", "Furnace", "x", None, {"spec": {"a": 2}})
    assert inside.kubernetes.get("forge.example/v1", "Furnace", "x")["spec"] == {"a": 2}


async def test_a_kind_that_comes_later_is_taken_when_it_is_there(inside):
    asked = inside.cluster
    with pytest.raises(NotYet, match=r"nothing serves forge.example/v1 yet, so no Ingot either: its CRD is missing"):
        await asked.apply(custom("Ingot", namespace="default"))
    assert await asked.find("forge.example/v1", "Ingot", "x", "default") is None
    assert await asked.all("forge.example/v1", "Ingot") == []
    inside.serve("forge.example", "v1", "Furnace")
    with pytest.raises(NotYet, match=r"no such kind Ingot in forge.example/v1 yet: its CRD is missing"):
        await asked.apply(custom("Ingot", namespace="default"))
    inside.serve("forge.example", "v1", "Ingot")
    await asked.apply(custom("Ingot", namespace="default"))


async def test_a_kind_that_never_comes_is_not_waited_for(inside):
    item = {"apiVersion": "apps/v1", "kind": "Deploymnet", "metadata": {"name": "x", "namespace": "default"}}
    with pytest.raises(Broken, match=r"no such kind Deploymnet in apps/v1; did you mean Deployment\?"):
        await inside.cluster.apply(item)
    with pytest.raises(Broken, match="no such kind Deploymnet"):
        await inside.cluster.find("apps/v1", "Deploymnet", "x", "default")


async def test_each_group_is_asked_once(inside):
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{n}", "namespace": "default"}}
        for n in range(9)
    ]
    await asyncio.gather(*(inside.cluster.apply(item) for item in maps))
    await inside.cluster.all("v1", "Secret")
    assert [path for _, path in inside.requests].count("/api/v1") == 1


async def test_a_watch_of_a_kind_that_is_not_there_yet_ends_quietly(inside):
    with pytest.raises(NotYet):
        async for _ in inside.cluster.changes("forge.example/v1", "Ingot"):
            pass


async def test_credentials_that_are_rejected(inside):
    inside.kubernetes.trusts = False
    with pytest.raises(Broken) as caught:
        await inside.cluster.all("v1", "Secret")
    assert caught.value.status == 401


async def test_a_namespace_that_is_being_deleted_is_waited_for(inside):
    def ends(kind, item):
        causes = [{"reason": "NamespaceTerminating", "message": "namespace default is being terminated"}]
        raise Refused(403, "Forbidden", "unable to create new content in namespace default", causes=causes)

    inside.kubernetes.admission.append(ends)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}}
    with pytest.raises(NotYet, match="unable to create new content"):
        await inside.cluster.apply(secret)


async def test_an_answer_that_is_no_kubernetes_is_not_the_end(paths):
    async def proxy(scope, receive, send):
        answer = HTMLResponse("<p>be right back</p>")
        await answer(scope, receive, send)

    write_kubeconfig(paths.kubeconfig, "http://kubernetes.test")
    cluster = Cluster(paths=paths, transport=InProcess(proxy))
    with pytest.raises(NotYet, match="the answer is not a list of kinds"):
        await cluster.all("v1", "Secret")
    await cluster.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<p>be right back</p>", 200),
        ("[1]", 200),
        ("no gateway", 502),
        ('{"message": "c4n4ry"}', 503),
        ('{"message": "c4n4ry"}', 429),
    ],
)
async def test_an_object_that_is_none_is_not_the_end(inside, paths, body, status):
    served = kubernetes_app(inside.kubernetes)

    async def proxy(scope, receive, send):
        if scope["path"].startswith("/api/v1/"):
            await Response(body, status, media_type="application/json")(scope, receive, send)
        else:
            await served(scope, receive, send)

    cluster = Cluster(paths=paths, transport=InProcess(proxy))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}}
    for call in (cluster.all("v1", "Secret"), cluster.apply(secret)):
        with pytest.raises(NotYet) as caught:
            await call
        assert "c4n4ry" not in str(caught.value), "a body that is nobody's is in no message"
    await cluster.close()
