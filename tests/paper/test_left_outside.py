"""What destroy does to volumes and load balancers elsewhere, against a real API server and the real controllers.

The provider's controllers are played here, as they behave: what is Released and to be deleted goes, with its finalizer, and so does
the load balancer of a Service that is being deleted.
"""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from paper_objects import available, service, workload
from rebirth.phases.made import outside
from rebirth.providers.access import ClusterAccess
from rebirth.run.journal import Journal, Marks

pytestmark = pytest.mark.asyncio(loop_scope="session")
DRIVER = "csi.proxmox.sinextra.dev"
BY_DRIVER = "external-provisioner.volume.kubernetes.io/finalizer"
BY_CLOUD = "service.kubernetes.io/load-balancer-cleanup"


def volume(name, space, claim, *, driver=DRIVER, policy="Delete", **more):
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name, "finalizers": [BY_DRIVER], "annotations": {"pv.kubernetes.io/provisioned-by": driver},
        },
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "elsewhere",
            "persistentVolumeReclaimPolicy": policy, "claimRef": {"namespace": space, "name": claim},
            "csi": {"driver": driver, "volumeHandle": f"pve/local-lvm/{name}"}, **more,
        },
    }  # fmt: skip


def claim(name):
    spec = {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "elsewhere", "resources": {"requests": {"storage": "1Gi"}},
    }  # fmt: skip
    return {"metadata": {"name": name}, "spec": spec}


async def removes_what_is_released(cluster):
    while True:
        for one in await cluster.all("v1", "PersistentVolume"):
            meta, spec = one["metadata"], one["spec"]
            released = one["status"]["phase"] == "Released" and spec["persistentVolumeReclaimPolicy"] == "Delete"
            if released and BY_DRIVER in (meta.get("finalizers") or ()):
                await cluster.delete("v1", "PersistentVolume", meta["name"])
                await cluster.merge("v1", "PersistentVolume", meta["name"], None, {"metadata": {"finalizers": None}})
        for one in await cluster.all("v1", "Service"):
            meta = one["metadata"]
            if "deletionTimestamp" in meta and BY_CLOUD in (meta.get("finalizers") or ()):
                await cluster.merge(
                    "v1", "Service", meta["name"], meta["namespace"], {"metadata": {"finalizers": None}}
                )
        await asyncio.sleep(0.1)


@asynccontextmanager
async def controllers(cluster):
    task = asyncio.create_task(removes_what_is_released(cluster))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def marks(tmp_path):
    with Journal(tmp_path) as journal:
        yield Marks(journal)


@pytest.fixture
def access(desk):
    return ClusterAccess(SimpleNamespace(kubeconfig=desk.paper.kubeconfig))


async def database(desk, space):
    mounts = [{"name": "data", "mountPath": "/data"}]
    pods = {"containers": [{"name": "app", "image": "example.com/app:1", "volumeMounts": mounts}]}
    await desk.apply(
        volume(f"{space}-1", space, "data-db-0"),
        workload("StatefulSet", "db", space, pods, serviceName="db", volumeClaimTemplates=[claim("data")]),
    )
    await available(desk, "db", space, kind="StatefulSet")


def in_space(found, space):
    return [one for one in found if one.name.startswith(space)]


async def test_a_volume_goes_by_its_own_driver_and_nobody_makes_another(desk, access, marks):
    space = await desk.namespace("outside-volume")
    await database(desk, space)
    [made] = in_space(await outside.made_outside(access, marks), space)
    assert str(made) == f"the volume {space}/data-db-0 ({DRIVER} pve/local-lvm/{space}-1)"
    async with controllers(desk.cluster):
        await made.remove()
    assert in_space(await outside.made_outside(access, marks), space) == []
    assert await desk.cluster.all("v1", "PersistentVolumeClaim", space) == [], "the StatefulSet may make none"
    assert await desk.pods(space) == []


async def test_a_castle_that_lives_on_is_opened_again(desk, access, marks):
    space = await desk.namespace("outside-again")
    await database(desk, space)
    [made] = in_space(await outside.made_outside(access, marks), space)
    async with controllers(desk.cluster):
        await made.remove()
    assert space in await outside.closed(desk.cluster)
    await outside.reopen(desk.cluster)
    assert await outside.closed(desk.cluster) == []
    await desk.apply(volume(f"{space}-2", space, "data-db-0"))
    await available(desk, "db", space, kind="StatefulSet")


async def test_a_driver_that_does_nothing_does_not_keep_the_castle(desk, access, marks, monkeypatch):
    monkeypatch.setattr(outside, "_PATIENCE", 3.0)
    space = await desk.namespace("outside-silent")
    await database(desk, space)
    [made] = in_space(await outside.made_outside(access, marks), space)
    await made.remove()
    found = await desk.cluster.find("v1", "PersistentVolume", f"{space}-1")
    assert BY_DRIVER in found["metadata"]["finalizers"], "it is the driver's to take away"
    [left] = in_space(await outside.made_outside(access, marks), space)
    assert (left.remove, left.stays) == (None, "its controller has not removed it within 3 s: remove it by hand")
    gone = ClusterAccess(SimpleNamespace(kubeconfig=SimpleNamespace(exists=lambda: False)))
    assert in_space(await outside.made_outside(gone, marks), space) == [left], "told when the cluster is gone, too"


async def test_what_is_to_be_kept_stays_and_is_told(desk, access, marks):
    space = await desk.namespace("outside-kept")
    await desk.apply(volume(f"{space}-1", space, "data", policy="Retain"))
    [kept] = in_space(await outside.made_outside(access, marks), space)
    assert (kept.remove, kept.stays) == (None, "its reclaim policy is Retain")


async def test_what_lies_on_the_machines_is_none_of_it(desk, access, marks):
    space = await desk.namespace("outside-within")
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["worker-1"]}]}]
    by_hand = volume(f"{space}-by-hand", space, "a")
    del by_hand["metadata"]["annotations"]
    await desk.apply(
        by_hand,
        volume(f"{space}-longhorn", space, "b", driver="driver.longhorn.io"),
        volume(f"{space}-rook", space, "c", driver="rook-ceph.rbd.csi.ceph.com"),
        volume(f"{space}-local", space, "d", nodeAffinity={"required": {"nodeSelectorTerms": terms}}),
    )
    assert in_space(await outside.made_outside(access, marks), space) == []


async def test_a_load_balancer_goes_by_its_cloud(desk, access, marks):
    space = await desk.namespace("outside-balancer")
    entry, metallb = service("entry", space), service("inside", space)
    for one in (entry, metallb):
        one["spec"]["type"] = "LoadBalancer"
    entry["metadata"]["finalizers"] = [BY_CLOUD]
    await desk.apply(entry, metallb)
    [made] = in_space(await outside.made_outside(access, marks), space)
    assert str(made).startswith(
        f"the load balancer {space}/entry"
    )  # and its address, where another test's pool is there still
    async with controllers(desk.cluster):
        await made.remove()
    assert in_space(await outside.made_outside(access, marks), space) == []


async def test_names_at_a_dns_provider_are_told(desk, access, marks):
    space = await desk.namespace("outside-names")
    entry = service("entry", space)
    entry["metadata"]["annotations"] = {"external-dns.alpha.kubernetes.io/hostname": "a.example.org, b.example.org"}
    way = {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "way", "namespace": space},
        "spec": {"rules": [{"host": "c.example.org"}, {}], "defaultBackend": {"service": {"name": "entry", "port": {"number": 443}}}},
    }  # fmt: skip
    await desk.apply(entry, way)
    assert not [one for one in await outside.made_outside(access, marks) if one.kind == "DNS records"], (
        "nobody makes any"
    )
    image = "registry.k8s.io/external-dns/external-dns:v0.19.0"
    pods = {"containers": [{"name": "dns", "image": image, "args": ["--source=ingress", "--provider=cloudflare"]}]}
    await desk.apply(workload("Deployment", "dns", space, pods))
    await available(desk, "dns", space)
    [told] = [one for one in await outside.made_outside(access, marks) if one.kind == "DNS records"]
    names = str(told).removeprefix("the DNS records ").removesuffix(" (cloudflare)").split(", ")
    assert {"a.example.org", "b.example.org", "c.example.org"} <= {
        *names
    }  # other tests have names in this cluster, too
    assert (told.remove, told.stays.partition(",")[0]) == (None, "external-dns may have made them")
    gone = ClusterAccess(SimpleNamespace(kubeconfig=SimpleNamespace(exists=lambda: False)))
    assert told in await outside.made_outside(gone, marks), "told when the cluster is gone, too"


async def test_a_cluster_that_is_silent_leaves_the_question_open(tmp_path, marks):
    file = tmp_path / "kubeconfig"
    file.write_text("nonsense")
    [unknown] = await outside.made_outside(ClusterAccess(SimpleNamespace(kubeconfig=file)), marks)
    assert unknown.remove is None
    assert "nobody can tell" in unknown.stays
