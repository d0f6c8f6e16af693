"""Storage: a StorageClass with somebody behind it. Nothing but volumes waits for it."""

from rebirth.castle import Storage
from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, missing_replicas
from rebirth.providers.helm import Helm, belongs_to
from rebirth.run.facts import NamespacesCreated, StorageInstalled
from rebirth.run.waiting import until

LAYER = "storage"
PATIENCE = 900
USUALLY = 30

_CLASS = "storage.k8s.io/v1"


async def install_storage(
    storage: Storage, cluster: Cluster, helm: Helm, namespaces: NamespacesCreated
) -> StorageInstalled:
    """Install the storage."""
    await helm.ensure(
        name=storage.chart,
        namespace=storage.namespace,
        chart=storage.chart,
        version=storage.version,
        repository=storage.repository,
        values=storage.values,
    )

    async def there() -> None:
        if await cluster.find(_CLASS, "StorageClass", storage.storage_class) is None:
            raise NotYet("is not there")
        for kind in ("DaemonSet", "Deployment"):
            for item in await cluster.all("apps/v1", kind, storage.namespace):
                # The namespace may hold what is none of the chart's: that is not waited for.
                ours = belongs_to(item, release=storage.chart, namespace=storage.namespace)
                if ours and (why := missing_replicas(item)):
                    raise NotYet(f"{kind} {item['metadata']['name']}: {why}")

    await until(
        there,
        what=f"the StorageClass {storage.storage_class} serves",
        every=3,
        changes=cluster.changes("apps/v1", "DaemonSet", storage.namespace),
    )
    return StorageInstalled(storage.storage_class)


async def found(storage: Storage) -> StorageInstalled:
    return StorageInstalled(storage.storage_class)


async def still(fact: StorageInstalled, cluster: Cluster) -> bool:
    return await cluster.find(_CLASS, "StorageClass", fact.storage_class) is not None
