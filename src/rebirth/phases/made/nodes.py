"""How a node goes: its pods to others, then the Node object with what holds on to it."""

from collections.abc import Mapping
from typing import Any

from rebirth.errors import NotYet
from rebirth.phases.made.lost_volumes import give_up, lost_with
from rebirth.providers.cluster import Cluster
from rebirth.run.waiting import until

_OVER = {"Succeeded", "Failed"}


async def drain(cluster: Cluster, node: str) -> None:
    """Lets nothing new onto the node, and asks its pods to go, as their disruption budgets allow it."""
    if (there := await cluster.find("v1", "Node", node)) is None:
        return
    if not (there.get("spec") or {}).get("unschedulable"):
        await cluster.merge("v1", "Node", node, None, {"spec": {"unschedulable": True}})

    async def empty() -> None:
        refused, going = list[str](), list[str]()
        for pod in await pods_of(cluster, node):
            meta = pod["metadata"]
            label = f"{meta['namespace']}/{meta['name']}"
            why = "" if meta.get("deletionTimestamp") else await cluster.evict(meta["name"], meta["namespace"])
            (refused if why else going).append(f"the pod {label} does not go: {why}" if why else f"{label} is ending")
        if refused or going:
            hint = "Give the pod another replica, or change its PodDisruptionBudget; or delete the pod by hand."
            raise NotYet("; ".join([*refused, *going]), hint=hint if refused else "")

    await until(empty, what=f"the node {node} is drained", every=1, slowest=5)


async def pods_of(cluster: Cluster, node: str) -> list[dict[str, Any]]:
    """Those that can go: not the kubelet's own, not a DaemonSet's, and not what is over."""
    return [
        pod
        for pod in await cluster.all("v1", "Pod")
        if (pod.get("spec") or {}).get("nodeName") == node
        and (pod.get("status") or {}).get("phase") not in _OVER
        and "kubernetes.io/config.mirror" not in (pod["metadata"].get("annotations") or {})
        and _keeper(pod) != "DaemonSet"
    ]


def is_nobodys(pod: Mapping[str, Any]) -> bool:
    """Whether nobody makes it anew elsewhere."""
    return not _keeper(pod)


def _keeper(pod: Mapping[str, Any]) -> str:
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((str(owner["kind"]) for owner in owners if owner.get("controller")), "")


async def forget(cluster: Cluster, node: str) -> None:
    """Of a machine that is no more: with the claims that nothing satisfies without it.

    The Node goes first, so that no scheduler takes it for one that is there; its pods are forgotten with it.
    """
    for attachment in await cluster.all("storage.k8s.io/v1", "VolumeAttachment"):
        if attachment["spec"].get("nodeName") == node:
            await cluster.delete("storage.k8s.io/v1", "VolumeAttachment", attachment["metadata"]["name"])
    await cluster.delete("v1", "Node", node)
    await give_up(cluster, await lost_with(cluster, {node}))
