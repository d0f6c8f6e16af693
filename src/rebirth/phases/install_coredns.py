"""Cluster DNS, managed by the castle: Talos' own is disabled in the machine configuration."""

from collections.abc import Mapping
from typing import Any

from rebirth.castle import CoreDns, Kubernetes
from rebirth.errors import NotYet
from rebirth.phases.made.coredns import NAME, NAMESPACE, objects
from rebirth.phases.made.living.differences import named, of_objects
from rebirth.phases.made.rollout import PODS
from rebirth.providers.cluster import Cluster, missing_replicas
from rebirth.run.change import Change, How
from rebirth.run.facts import CiliumInstalled, CoreDnsInstalled
from rebirth.run.waiting import note, together, until

LAYER = "engine"
PATIENCE = 900
USUALLY = 5
WAITS_FOR = (CiliumInstalled,)  # its pods need the network of pods
HINT = PODS

_FOR_GOOD = "every pod has the address of cluster DNS, and a Service keeps its own"


async def install_coredns(coredns: CoreDns, kubernetes: Kubernetes, cluster: Cluster) -> CoreDnsInstalled:
    """Install CoreDNS."""
    *others, service = objects(coredns, kubernetes)
    await cluster.apply(*others)
    if kept := _another_address(
        await cluster.find("v1", "Service", service["metadata"]["name"], NAMESPACE), kubernetes
    ):
        note(f"the Service of cluster DNS keeps {kept}: {_FOR_GOOD}")
    else:
        await cluster.apply(service)

    async def ready() -> None:
        if missing := missing_replicas(await cluster.find("apps/v1", "Deployment", NAME, NAMESPACE)):
            raise NotYet(missing)

    await until(
        ready, what="CoreDNS is available", every=5, changes=cluster.changes("apps/v1", "Deployment", NAMESPACE)
    )
    return CoreDnsInstalled(str(kubernetes.cluster_dns))


async def changes(coredns: CoreDns, kubernetes: Kubernetes, cluster: Cluster) -> list[Change]:
    *others, service = objects(coredns, kubernetes)
    there = await cluster.find("v1", "Service", service["metadata"]["name"], NAMESPACE)
    if kept := _another_address(there, kubernetes):
        text = f"it has {kept}, and {kubernetes.cluster_dns} is wanted: {_FOR_GOOD}"
        kept_one = [Change(named(service), How.REBIRTH, text, "kubernetes.cluster_dns")]
    else:
        kept_one, others = [], [*others, service]
    return [*await of_objects(cluster, [(item, _setting(item)) for item in others]), *kept_one]


def _another_address(service: Mapping[str, Any] | None, kubernetes: Kubernetes) -> str:
    """The one that the Service has, where it is not that of castle.yaml: it can get no other."""
    has = str(service["spec"].get("clusterIP") or "") if service else ""
    return has if has != str(kubernetes.cluster_dns) else ""


def _setting(item: Mapping[str, Any]) -> str:
    return "engine.coredns.forwards" if item["kind"] == "ConfigMap" else "engine.coredns"


async def found(kubernetes: Kubernetes) -> CoreDnsInstalled:
    return CoreDnsInstalled(str(kubernetes.cluster_dns))


async def still(fact: CoreDnsInstalled, coredns: CoreDns, kubernetes: Kubernetes, cluster: Cluster) -> bool:
    deployment = await cluster.find("apps/v1", "Deployment", NAME, NAMESPACE)
    if missing := missing_replicas(deployment):
        raise NotYet(missing)
    places = [(item["apiVersion"], item["kind"], item["metadata"]) for item in objects(coredns, kubernetes)]
    there = await together(
        *(cluster.find(version, kind, meta["name"], meta.get("namespace")) for version, kind, meta in places)
    )
    if gone := [f"{kind} {meta['name']}" for (_, kind, meta), item in zip(places, there, strict=True) if item is None]:
        raise NotYet(f"does not exist: {', '.join(gone)}")
    return deployment is not None and deployment["spec"].get("replicas") == coredns.replicas
