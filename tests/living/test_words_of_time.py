"""What only looks broken: a healthy cluster, a young one; and two roots that have nothing to do with each other."""

import pytest

from living.healthy import APPS, progressing
from living.objects import made, node, pod, workload
from rebirth.diagnosis.roots import Word

GONE = "Kubelet stopped posting node status."
NO_NETWORK = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: "
    "cni plugin not initialized"
)
CREATING = {"reason": "ContainerCreating"}


async def test_a_healthy_cluster_is_silent(healthy):
    """With a Job that runs and one that failed before the last one did not, a claim that no pod uses, what is scaled to nothing."""
    assert await healthy.roots() == []


@pytest.mark.parametrize(("minutes", "word"), [(1, Word.WAITS), (4, Word.WAITS), (6, Word.BROKEN)])
async def test_a_machine_that_restarts_is_not_yet_gone(healthy, minutes, word):
    healthy.put(node("worker-1", "Unknown", "NodeStatusUnknown", GONE, minutes=minutes))
    assert [root.word for root in await healthy.roots()] == [word]


@pytest.mark.parametrize(("minutes", "word"), [(2, Word.WAITS), (9, Word.WAITS), (11, Word.BROKEN)])
async def test_a_pod_that_starts_has_as_long_as_a_deployment_has(healthy, minutes, word):
    healthy.put(workload("Deployment", "web", "apps", available=0, minutes=minutes))
    healthy.put(pod("web", "apps", ready=False, waiting=CREATING, minutes=minutes))
    (root,) = await healthy.roots()
    assert (root.word, root.cause.message) == (word, "is starting")


async def test_a_cluster_that_is_only_young_waits(healthy):
    for name in ("cp-1", "worker-1"):
        healthy.put(node(name, "False", "KubeletNotReady", NO_NETWORK, minutes=0.5))
    flannel = workload("DaemonSet", "flannel", "kube-system", replicas=2, available=0, hostNetwork=True, minutes=0.5)
    start = pod("flannel", "kube-system", ready=False, waiting=CREATING, minutes=0.5, kind="DaemonSet")
    healthy.put(flannel, start, workload("Deployment", "web", "apps", labels=APPS, available=0, minutes=0.5))
    unscheduled = "0/2 nodes are available: 2 node(s) had untolerated taint(s). no new claims to deallocate"
    healthy.put(pod("web", "apps", ready=False, scheduled=unscheduled, minutes=0.5))
    healthy.put(progressing("apps", "stores", wait=True))
    found = await healthy.roots()
    assert {root.word for root in found} == {Word.WAITS}
    assert str(found[0].cause) == "DaemonSet kube-system/flannel: is starting"
    assert {("Node", "", "cp-1"), ("Deployment", "apps", "web")} <= {*found[0].held()}


async def test_two_roots_are_both_told(healthy):
    broken = {"reason": "ErrImagePull", "message": "registry.example/web:1: not found"}
    healthy.put(workload("Deployment", "web", "apps", available=0), pod("web", "apps", ready=False, waiting=broken))
    claim = {"storageClassName": "longhorn"}
    healthy.put(made("v1", "PersistentVolumeClaim", "old", "vault", spec=claim, status={"phase": "Pending"}))
    assert [root.cause.key for root in await healthy.roots()] == [
        ("Deployment", "apps", "web"),
        ("StorageClass", "", "longhorn"),
    ]


async def test_what_fails_for_good_is_broken_at_once(healthy):
    broken = {"reason": "ErrImagePull", "message": "registry.example/web:1: not found"}
    healthy.put(workload("Deployment", "web", "apps", available=0, minutes=0.2))
    healthy.put(pod("web", "apps", ready=False, waiting=broken, minutes=0.2))
    assert [root.word for root in await healthy.roots()] == [Word.BROKEN]
