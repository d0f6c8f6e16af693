"""The addresses that Cilium gives to Services, and answers for on the LAN."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from rebirth.castle import CiliumPool
from rebirth.phases.made.cilium import POOL_VERSIONS, objects
from rebirth.phases.made.living.differences import of_objects
from rebirth.providers.cluster import Cluster
from rebirth.providers.kinds import NotServed
from rebirth.run.change import Change, How
from rebirth.run.facts import CiliumInstalled, PoolAnnounced
from rebirth.run.waiting import until

LAYER = "networking"
PATIENCE = 900
HINT = "`kubectl describe` of the pool says what Cilium's operator makes of it."


async def announce_pool(pool: CiliumPool, cluster: Cluster, cilium: CiliumInstalled) -> PoolAnnounced:
    """Announce the address pool."""

    async def accepted() -> None:
        # Cilium's operator brings the CRDs once it runs. An older one has the pool in an older version alone.
        *newer, oldest = POOL_VERSIONS
        for version in newer:
            with suppress(NotServed):
                return await cluster.apply(*objects(pool, version))
        return await cluster.apply(*objects(pool, oldest))

    await until(accepted, what="the address pool is accepted", every=1)
    return PoolAnnounced(pool.name)


async def changes(pool: CiliumPool, cluster: Cluster) -> list[Change]:
    for version in POOL_VERSIONS:
        wanted = objects(pool, version)
        if await cluster.find(version, wanted[0]["kind"], pool.name) is not None:
            return await of_objects(cluster, [(item, "networking.cilium.pool") for item in wanted])
    return [Change(f"the pool {pool.name}", How.NOW, "is not there, and is made", "networking.cilium.pool.name")]


async def found(pool: CiliumPool) -> PoolAnnounced:
    return PoolAnnounced(pool.name)


async def still(fact: PoolAnnounced, pool: CiliumPool, cluster: Cluster) -> bool:
    return any([await _there(objects(pool, version), cluster) for version in POOL_VERSIONS])


async def _there(wanted: Sequence[dict[str, Any]], cluster: Cluster) -> bool:
    for item in wanted:
        found = await cluster.find(item["apiVersion"], item["kind"], item["metadata"]["name"])
        if found is None or any(found["spec"].get(key) != value for key, value in item["spec"].items()):
            return False
    return True
