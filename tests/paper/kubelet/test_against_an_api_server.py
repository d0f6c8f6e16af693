"""Nodes, scheduler and kubelets on paper, against a real API server and the real controllers."""

import pytest

from paper_objects import available, reads, secret, workload

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def waiting(desk, namespace):
    """Reason and message of the containers that wait."""

    async def look():
        statuses = [s for pod in await desk.pods(namespace) for s in pod["status"].get("containerStatuses") or []]
        return [
            (s["state"]["waiting"]["reason"], s["state"]["waiting"].get("message"))
            for s in statuses
            if "waiting" in s["state"]
        ]

    return await desk.until(look)


async def same(found, wanted):
    return await found == wanted


async def test_a_deployment_becomes_available(desk):
    space = await desk.namespace("deployment")
    await desk.apply(workload("Deployment", "web", space, replicas=3))
    await available(desk, "web", space, 3)
    assert {(w.kind, w.name, w.images) for w in desk.paper.workloads() if w.namespace == space} == {
        ("Deployment", "web", ("example.com/app:1",))
    }


async def test_a_missing_secret_holds_a_pod_in_the_words_of_the_kubelet(desk):
    space = await desk.namespace("held")
    await desk.apply(workload("Deployment", "web", space, reads("Secret", "token", "value")))
    assert await waiting(desk, space) == [("CreateContainerConfigError", 'secret "token" not found')]
    await desk.apply(secret("token", space, other="1"))
    words = ("CreateContainerConfigError", f"couldn't find key value in Secret {space}/token")
    await desk.until(lambda: same(waiting(desk, space), [words]))
    await desk.apply(secret("token", space, other="1", value="2"))
    await available(desk, "web", space)


async def test_a_volume_holds_a_pod_until_its_config_map_is_there(desk):
    space = await desk.namespace("mounted")
    volumes = {"volumes": [{"name": "settings", "configMap": {"name": "settings"}}]}
    await desk.apply(workload("Deployment", "web", space, volumes))
    words = 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
    assert await waiting(desk, space) == [("ContainerCreating", words)]
    await desk.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": space}})
    await available(desk, "web", space)


async def test_a_daemon_set_has_a_pod_on_each_node_that_it_tolerates(desk):
    space = await desk.namespace("daemons")
    tolerating = {"tolerations": [{"operator": "Exists"}]}
    await desk.apply(workload("DaemonSet", "some", space), workload("DaemonSet", "all", space, tolerating))

    async def nodes():
        placed = {}
        for pod in await desk.pods(space):
            if pod["status"].get("phase") == "Running":
                placed.setdefault(pod["metadata"]["labels"]["app"], set()).add(pod["spec"]["nodeName"])
        return placed

    wanted = {"some": {"paper-2", "paper-3"}, "all": {"paper-1", "paper-2", "paper-3"}}
    await desk.until(lambda: same(nodes(), wanted))


async def test_a_job_completes(desk):
    space = await desk.namespace("job")
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "example.com/app:1"}]}
    await desk.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once", "namespace": space},
            "spec": {"template": {"spec": pod}},
        }
    )
    await desk.until(lambda: desk.condition("batch/v1", "Job", "once", space, "Complete"))


async def test_a_claim_without_a_class_waits_and_so_does_its_pod(desk):
    space = await desk.namespace("classless")
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "nowhere",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    await desk.apply(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": space}, "spec": spec},
        workload("Deployment", "web", space, {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
    )  # fmt: skip

    async def said():
        conditions = [c for pod in await desk.pods(space) for c in pod["status"].get("conditions") or []]
        return [c["message"] for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False"]

    assert await desk.until(said) == ["0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."]


async def test_deleted_pods_go(desk):
    space = await desk.namespace("deleted")
    await desk.apply(workload("Deployment", "web", space, replicas=2))
    await available(desk, "web", space, 2)
    await desk.apply(workload("Deployment", "web", space, replicas=0))

    async def gone():
        return not await desk.pods(space)

    await desk.until(gone)
