"""The namespaces that something is placed into before Flux runs."""

from typing import Any

from rebirth.castle import Foundation, Networking, Storage
from rebirth.providers.cluster import Cluster
from rebirth.run.facts import NamespacesCreated
from rebirth.run.waiting import together

LAYER = "engine"
PATIENCE = 120

_PRIVILEGED = {f"pod-security.kubernetes.io/{mode}": "privileged" for mode in ("enforce", "audit", "warn")}


async def create_namespaces(
    engine: Foundation, networking: Networking, storage: Storage, cluster: Cluster
) -> NamespacesCreated:
    """Create the namespaces."""
    wanted = objects(engine, networking, storage)
    await together(*map(cluster.apply, wanted))
    return NamespacesCreated(tuple(item["metadata"]["name"] for item in wanted))


def objects(engine: Foundation, networking: Networking, storage: Storage) -> list[dict[str, Any]]:
    """The Namespaces, by name."""
    # MetalLB's speaker uses the host's network and Longhorn its disks: Pod Security must let them.
    privileged = {networking.metallb.namespace, storage.namespace}
    names = sorted({*engine.namespaces, "flux-system", *privileged} - {"default"})
    return [_namespace(name, privileged=name in privileged) for name in names]


async def found(engine: Foundation, networking: Networking, storage: Storage) -> NamespacesCreated:
    return NamespacesCreated(tuple(item["metadata"]["name"] for item in objects(engine, networking, storage)))


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
