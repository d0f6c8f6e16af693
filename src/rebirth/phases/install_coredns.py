"""Cluster DNS, managed by the castle: Talos' own is disabled in the machine configuration."""

from rebirth.castle import CoreDns, Kubernetes
from rebirth.errors import NotYet
from rebirth.phases.made.coredns import NAME, NAMESPACE, objects
from rebirth.phases.made.rollout import PODS
from rebirth.providers.cluster import Cluster, missing_replicas
from rebirth.run.facts import CiliumInstalled, CoreDnsInstalled
from rebirth.run.waiting import together, until

LAYER = "engine"
PATIENCE = 900
USUALLY = 5
WAITS_FOR = (CiliumInstalled,)  # its pods need the network of pods
HINT = PODS


async def install_coredns(coredns: CoreDns, kubernetes: Kubernetes, cluster: Cluster) -> CoreDnsInstalled:
    """Install CoreDNS."""
    await cluster.apply(*objects(coredns, kubernetes))

    async def ready() -> None:
        if missing := missing_replicas(await cluster.find("apps/v1", "Deployment", NAME, NAMESPACE)):
            raise NotYet(missing)

    await until(
        ready, what="CoreDNS is available", every=5, changes=cluster.changes("apps/v1", "Deployment", NAMESPACE)
    )
    return CoreDnsInstalled(str(kubernetes.cluster_dns))


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
