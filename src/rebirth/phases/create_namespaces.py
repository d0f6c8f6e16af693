"""The namespaces that something is placed into before Flux runs."""

from typing import Any

from rebirth.castle import Cilium, Foundation, MetalLb, Storage
from rebirth.phases.made.living.differences import of_objects, of_those_left
from rebirth.providers.cluster import Cluster
from rebirth.run.change import Change
from rebirth.run.facts import NamespacesCreated
from rebirth.run.waiting import together

LAYER = "engine"
PATIENCE = 120

_THERE = {"default", "kube-system"}  # Kubernetes' own
_PRIVILEGED = {f"pod-security.kubernetes.io/{mode}": "privileged" for mode in ("enforce", "audit", "warn")}


async def create_namespaces(
    engine: Foundation,
    metallb: MetalLb | None,
    cilium: Cilium | None,
    storage: Storage | None,
    cluster: Cluster,
) -> NamespacesCreated:
    """Create the namespaces."""
    wanted = objects(engine, metallb, cilium, storage)
    await together(*map(cluster.apply, wanted))
    return NamespacesCreated(tuple(item["metadata"]["name"] for item in wanted))


def objects(
    engine: Foundation, metallb: MetalLb | None, cilium: Cilium | None, storage: Storage | None
) -> list[dict[str, Any]]:
    """The Namespaces, by name."""
    # MetalLB's speaker and Cilium's agent use the host's network and Longhorn its disks: Pod Security must let them.
    privileged = {chart.namespace for chart in (metallb, cilium, storage) if chart}
    names = sorted({*engine.namespaces, "flux-system", *privileged} - _THERE)
    return [_namespace(name, privileged=name in privileged) for name in names]


async def changes(
    engine: Foundation, metallb: MetalLb | None, cilium: Cilium | None, storage: Storage | None, cluster: Cluster
) -> list[Change]:
    wanted = objects(engine, metallb, cilium, storage)
    made = await of_objects(
        cluster, [(item, _setting(item["metadata"]["name"], metallb, cilium, storage)) for item in wanted]
    )
    left = await of_those_left(cluster, "v1", "Namespace", wanted, "engine", "all that is in it would go with it")
    return [*made, *left]


def _setting(name: str, metallb: MetalLb | None, cilium: Cilium | None, storage: Storage | None) -> str:
    for setting, chart in (("networking.metallb", metallb), ("networking.cilium", cilium), ("storage", storage)):
        if chart and chart.namespace == name:
            return f"{setting}.namespace"
    return "engine"


async def found(
    engine: Foundation, metallb: MetalLb | None, cilium: Cilium | None, storage: Storage | None
) -> NamespacesCreated:
    return NamespacesCreated(tuple(item["metadata"]["name"] for item in objects(engine, metallb, cilium, storage)))


async def still(fact: NamespacesCreated, cluster: Cluster) -> bool:
    # One that is being deleted is still listed.
    there = {item["metadata"]["name"] for item in await cluster.all("v1", "Namespace") if not _ends(item)}
    return set(fact.names) <= there


def _ends(namespace: dict[str, Any]) -> bool:
    return bool(namespace["metadata"].get("deletionTimestamp"))


def _namespace(name: str, *, privileged: bool) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": _PRIVILEGED if privileged else {}},
    }
