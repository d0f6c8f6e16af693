"""The workloads of a release that a phase has installed."""

from collections.abc import Iterable

from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, missing_replicas
from rebirth.providers.helm import belongs_to


async def rolled_out(
    cluster: Cluster, *, release: str, namespace: str, kinds: Iterable[str] = ("DaemonSet", "Deployment")
) -> None:
    """Raises NotYet while one of them is not available. What else is in the namespace is not waited for."""
    for kind in kinds:
        for item in await cluster.all("apps/v1", kind, namespace):
            ours = belongs_to(item, release=release, namespace=namespace)
            if ours and (why := missing_replicas(item)):
                raise NotYet(f"{kind} {item['metadata']['name']}: {why}")
