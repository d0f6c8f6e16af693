"""The store becomes valid when its Vault answers; who failed while it did not is asked to look again."""

import asyncio

import pytest

from phases.cluster.world import again, killed_after_each_write, lose_a_volume, refused
from rebirth.errors import Broken
from rebirth.events import Nudged
from rebirth.phases import open_vault_store
from rebirth.phases.made.vault_store import cluster_secret_store
from rebirth.run.facts import VaultStoreApplied
from standins import charts
from standins.controllers import EXTERNAL, ExternalSecrets, establishes, is_true


@pytest.fixture
def build(new_world):
    """Vault answers 20 s after the store was looked at first; an ExternalSecret has failed by then."""

    def new(*, opens=20.0):
        world = new_world(open_vault_store, VaultStoreApplied("tazlab-secrets-vault"))
        cluster, loop = world.kubernetes, asyncio.get_running_loop()
        since = loop.time()
        cluster.controllers += [establishes(0), ExternalSecrets(valid=lambda: loop.time() >= since + opens)]
        cluster.put(charts.namespace("monitoring"))
        for crd in (charts.STORES, charts.EXTERNALS):
            cluster.condition(cluster.put(crd), "Established", "True")
        cluster.put(cluster_secret_store(world.castle.engine.store, world.castle.engine.vault), by="rebirth")
        for name, store in (("grafana-db", "tazlab-secrets-vault"), ("other", "another")):
            place = {"name": name, "namespace": "monitoring"}
            spec = {"secretStoreRef": {"kind": "ClusterSecretStore", "name": store}}
            cluster.put({"apiVersion": EXTERNAL, "kind": "ExternalSecret", "metadata": place, "spec": spec})
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).name == "tazlab-secrets-vault"
    assert asyncio.get_running_loop().time() < 25, "it is asked again long before the operator would look by itself"
    await asyncio.sleep(5)
    assert is_true(world.kubernetes.get(EXTERNAL, "ExternalSecret", "grafana-db", "monitoring"), "Ready")
    assert not is_true(world.kubernetes.get(EXTERNAL, "ExternalSecret", "other", "monitoring"), "Ready"), (
        "not its store"
    )


async def test_refused_where_a_volume_is_lost_that_vault_may_need(build):
    world = build(opens=float("inf"))
    lose_a_volume(world, "monitoring")
    failure = await refused(world, within=60)
    assert "the volume pvc-1 (claim monitoring/pgdata, used by the pod db-0) lies on worker-9" in str(failure)


async def test_from_nothing_with_a_lost_volume_that_it_does_not_wait_for(build):
    world = build()
    lose_a_volume(world, "monitoring")
    await world.create()


async def test_a_name_that_the_tailnets_nameserver_has_not_read_yet(build):
    """Its records are mounted into its pod, and the kubelet refreshes them a minute later, or when the pod changes."""
    world = build(opens=1e9)
    cluster, loop = world.kubernetes, asyncio.get_running_loop()
    place = {"namespace": "tailscale"}
    cluster.put(charts.namespace("tailscale"))
    labels = {"tailscale.com/managed": "true", "tailscale.com/parent-resource-type": "nameserver"}
    records = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dnsrecords", "labels": labels, **place}}
    cluster.put(records)
    for name, mounted in (("nameserver-0", "dnsrecords"), ("ts-vault-0", "another")):
        spec = {"volumes": [{"name": "token"}, {"name": "it", "configMap": {"name": mounted}}]}
        cluster.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **place}, "spec": spec})

    def woken(name):
        return "annotations" in cluster.get("v1", "Pod", name, "tailscale")["metadata"]

    cluster.controllers[-1].valid = lambda: woken("nameserver-0")
    host = "lushycorp-vault.magellanic-gondola.ts.net"
    written = 12.0

    def write():
        assert not woken("nameserver-0"), "there is nothing to read yet"
        cluster.put(records | {"data": {"records.json": f'{{"ip4":{{"{host}":["10.244.1.2"]}}}}'}})

    loop.call_later(written, write)
    await world.create()
    assert loop.time() < written + 15
    assert not woken("ts-vault-0"), "it does not read them"


def put_nameserver(cluster):
    """With records to read, and a pod beside it that does not read them."""
    cluster.put(charts.namespace("tailscale"))
    labels = {"tailscale.com/managed": "true", "tailscale.com/parent-resource-type": "nameserver"}
    meta = {"name": "dnsrecords", "namespace": "tailscale", "labels": labels}
    data = {"records.json": '{"ip4":{"lushycorp-vault.magellanic-gondola.ts.net":["10.244.1.2"]}}'}
    cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
    for name, mounted in (("nameserver-0", "dnsrecords"), ("ts-vault-0", "another")):
        spec = {"volumes": [{"name": "it", "configMap": {"name": mounted}}]}
        cluster.put(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "tailscale"}, "spec": spec}
        )


def restarts(world):
    return [event.at for event in world.events if isinstance(event, Nudged) and event.text.startswith("restarted")]


async def test_a_nameserver_that_looked_in_between_and_never_looks_again(build):
    """Touching its pod changes nothing; it is started anew, after it was shown its records a few times."""
    world = build(opens=1e9)
    cluster = world.kubernetes
    put_nameserver(cluster)
    cluster.controllers[-1].valid = lambda: cluster.get("v1", "Pod", "nameserver-0", "tailscale") is None
    await world.create()
    assert cluster.get("v1", "Pod", "ts-vault-0", "tailscale") is not None
    assert len(restarts(world)) == 1


async def test_a_nameserver_that_takes_long_to_start_is_left_the_time(build):
    """Another one comes each time; the store is valid when one of them was let alone for a minute."""
    world = build(opens=1e9)
    cluster, loop = world.kubernetes, asyncio.get_running_loop()
    put_nameserver(cluster)
    started = loop.time()
    there = cluster.get("v1", "Pod", "nameserver-0", "tailscale")
    pod = {**there, "metadata": {"name": "nameserver-0", "namespace": "tailscale"}}

    def replace(_, type_, item):
        nonlocal started
        if (type_, item["metadata"]["name"]) == ("DELETED", "nameserver-0"):
            started = loop.time()
            loop.call_soon(cluster.put, pod)

    cluster.controllers.insert(0, replace)
    cluster.controllers[-1].valid = lambda: loop.time() >= started + 60
    await world.create()
    assert cluster.get("v1", "Pod", "nameserver-0", "tailscale") is not None
    assert 2 <= len(restarts(world)) <= 6


async def test_again(build):
    world = build()
    await again(world)
    store = cluster_secret_store(world.castle.engine.store, world.castle.engine.vault)
    world.kubernetes.condition(store, "Ready", "False", "Vault is sealed")
    assert not await world.holds()


async def test_killed(build):
    await killed_after_each_write(build)


async def test_refused(build):
    world = build()
    world.kubernetes.forbids = lambda verb, kind, namespace: "no rights" if verb == "get" else None
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert failure.status == 403


async def test_refused_by_a_vault_that_never_answers(build):
    world = build(opens=1e9)
    world.budget = 60
    assert "the store tazlab-secrets-vault is valid: unable to validate store" in str(await refused(world, within=61))
