"""Step 8 of the protocol: the way in, a Service or a Gateway, has its address."""

from typing import Any

from rebirth.castle import Entrance
from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster
from rebirth.run.facts import Converged, FluxBootstrapped, IngressFound, MetalLbInstalled, PoolAnnounced
from rebirth.run.waiting import until

LAYER = "waits"
PATIENCE = 3600
WAITS_FOR = (Converged,)  # the graph brings the ingress
WAITS = True
VERIFIES = True
ONLINE = 3
HINT = "`kubectl describe` of it says what it lacks: a load balancer, a free address of the pool."

_VERSION = {"Service": "v1", "Gateway": "gateway.networking.k8s.io/v1"}


async def find_ingress(
    entrance: Entrance,
    cluster: Cluster,
    metallb: MetalLbInstalled | None,
    pool: PoolAnnounced | None,
    flux: FluxBootstrapped | None,
) -> IngressFound:
    """Find the ingress address."""

    async def address() -> str:
        return await _address(entrance, cluster)

    what = f"the {entrance.kind} {entrance.namespace}/{entrance.name} has an address"
    watch = cluster.changes(_VERSION[entrance.kind], entrance.kind, entrance.namespace)
    return IngressFound(await until(address, what=what, every=3, changes=watch))


async def found(entrance: Entrance, cluster: Cluster) -> IngressFound:
    return IngressFound(await _address(entrance, cluster))


async def still(fact: IngressFound, entrance: Entrance, cluster: Cluster) -> bool:
    return await _address(entrance, cluster) == fact.address


async def _address(entrance: Entrance, cluster: Cluster) -> str:
    """The first that it has: an IP address, or the name that a cloud's load balancer gives."""
    item = await cluster.find(_VERSION[entrance.kind], entrance.kind, entrance.name, entrance.namespace)
    if item is None:
        raise NotYet("does not exist")
    status: dict[str, Any] = item.get("status") or {}
    if entrance.kind == "Gateway":
        given = [entry.get("value") for entry in status.get("addresses") or []]
    else:
        entries = (status.get("loadBalancer") or {}).get("ingress") or []
        given = [entry.get("ip") or entry.get("hostname") for entry in entries]
    address = next(filter(None, given), None)
    if address is None:
        raise NotYet("has no address yet")
    return str(address)
