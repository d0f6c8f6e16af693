"""Storage: a StorageClass with somebody behind it. Nothing but volumes waits for it."""

from rebirth.castle import Storage
from rebirth.errors import NotYet
from rebirth.phases.made.living.differences import of_release
from rebirth.phases.made.rollout import PODS, rolled_out
from rebirth.providers.cluster import Cluster
from rebirth.providers.helm import Helm
from rebirth.run.change import Change, How
from rebirth.run.facts import CiliumInstalled, NamespacesCreated, StorageInstalled
from rebirth.run.waiting import until

LAYER = "storage"
PATIENCE = 3600
USUALLY = 30
WAITS_FOR = (CiliumInstalled,)  # its pods need the network of pods
HINT = PODS

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
            raise NotYet("does not exist")
        await rolled_out(cluster, release=storage.chart, namespace=storage.namespace)

    await until(
        there,
        what=f"the StorageClass {storage.storage_class} is usable",
        every=3,
        changes=cluster.changes("apps/v1", "DaemonSet", storage.namespace),
    )
    return StorageInstalled(storage.storage_class)


async def changes(storage: Storage, cluster: Cluster, helm: Helm) -> list[Change]:
    name = storage.storage_class
    if await cluster.find(_CLASS, "StorageClass", name) is None:
        text = f"the chart {storage.chart} brings it, or its values name another"
        return [Change(f"StorageClass {name}", How.NOW, text, "storage.storage_class")]
    return await of_release(
        helm, name=storage.chart, chart=storage.chart, spec=storage, values=storage.values, setting="storage"
    )


async def found(storage: Storage) -> StorageInstalled:
    return StorageInstalled(storage.storage_class)


async def still(fact: StorageInstalled, cluster: Cluster) -> bool:
    return await cluster.find(_CLASS, "StorageClass", fact.storage_class) is not None
