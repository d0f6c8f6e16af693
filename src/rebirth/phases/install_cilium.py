"""Cilium, as the network of pods: before it runs no node is Ready, and no pod starts that does not use its host's network."""

from functools import partial

from rebirth.castle import Cilium, Kubernetes, Machines
from rebirth.phases.made.cilium import values
from rebirth.phases.made.living.differences import of_release
from rebirth.phases.made.rollout import PODS, rolled_out
from rebirth.providers.cluster import Cluster
from rebirth.providers.helm import Helm
from rebirth.run.change import Change
from rebirth.run.facts import CiliumInstalled, NamespacesCreated
from rebirth.run.waiting import until

LAYER = "platform"
PATIENCE = 1800  # its images are half a gigabyte, and every machine pulls them
USUALLY = 60
HINT = PODS

_RELEASE = "cilium"


async def install_cilium(
    cilium: Cilium,
    kubernetes: Kubernetes,
    machines: Machines,
    cluster: Cluster,
    helm: Helm,
    namespaces: NamespacesCreated,
) -> CiliumInstalled:
    """Install Cilium."""
    await helm.ensure(
        name=_RELEASE,
        namespace=cilium.namespace,
        chart="cilium",
        version=cilium.version,
        repository=cilium.repository,
        values=values(cilium, kubernetes, machines),
    )
    await until(
        partial(rolled_out, cluster, release=_RELEASE, namespace=cilium.namespace),
        what="Cilium is available",
        every=5,
        changes=cluster.changes("apps/v1", "DaemonSet", cilium.namespace),
    )
    return CiliumInstalled(cilium.version)


async def changes(cilium: Cilium, kubernetes: Kubernetes, machines: Machines, helm: Helm) -> list[Change]:
    return await of_release(
        helm,
        name=_RELEASE,
        chart="cilium",
        spec=cilium,
        values=values(cilium, kubernetes, machines),
        setting="networking.cilium",
    )


async def found(cilium: Cilium) -> CiliumInstalled:
    return CiliumInstalled(cilium.version)


async def still(fact: CiliumInstalled, cilium: Cilium, helm: Helm, cluster: Cluster) -> bool:
    await rolled_out(cluster, release=_RELEASE, namespace=cilium.namespace)
    release = await helm.release(name=_RELEASE, namespace=cilium.namespace)
    return release is not None and release.chart == f"cilium-{fact.version}"
