"""A StorageClass that the repository brings. Nothing but volumes waits for it."""

from rebirth.castle import StorageOfFlux
from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster
from rebirth.run.facts import Converged, FluxBootstrapped, StorageBrought
from rebirth.run.waiting import until

LAYER = "waits"
PATIENCE = 3600  # as long as the whole graph may take
WAITS_FOR = (Converged,)  # the graph brings it
WAITS = True
HINT = "`kubectl get kustomizations,helmreleases --all-namespaces` says whether Flux has brought it."

_CLASS = "storage.k8s.io/v1", "StorageClass"


async def await_storage(storage: StorageOfFlux, cluster: Cluster, flux: FluxBootstrapped) -> StorageBrought:
    """Wait for the repository's storage."""

    async def there() -> None:
        if await cluster.find(*_CLASS, storage.storage_class) is None:
            raise NotYet("does not exist; Flux brings it")

    what = f"the StorageClass {storage.storage_class} exists"
    await until(there, what=what, every=5, changes=cluster.changes(*_CLASS))
    return StorageBrought(storage.storage_class)


async def found(storage: StorageOfFlux) -> StorageBrought:
    return StorageBrought(storage.storage_class)


async def still(fact: StorageBrought, cluster: Cluster) -> bool:
    return await cluster.find(*_CLASS, fact.storage_class) is not None
