"""The workloads of a release that a phase has installed."""

from collections.abc import Iterable

from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, missing_replicas
from rebirth.providers.helm import belongs_to

PODS = "`kubectl describe pods` in its namespace says what its pods wait for: an image, a node, a volume, a Secret."


async def rolled_out(
    cluster: Cluster, *, release: str, namespace: str, kinds: Iterable[str] = ("DaemonSet", "Deployment")
) -> int:
    """How many there are. Raises NotYet while some are not available. What else is in the namespace is not waited for."""
    ours = [
        (kind, item)
        for kind in kinds
        for item in await cluster.all("apps/v1", kind, namespace)
        if belongs_to(item, release=release, namespace=namespace)
    ]
    if missing := [
        f"{kind} {item['metadata']['name']}: {why}" for kind, item in ours if (why := missing_replicas(item))
    ]:
        raise NotYet("; ".join(missing))
    return len(ours)
