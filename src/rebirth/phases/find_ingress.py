"""Step 8 of the protocol: the ingress has its address."""

from rebirth.castle import Online
from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster
from rebirth.run.facts import Converged, FluxBootstrapped, IngressFound, MetalLbInstalled
from rebirth.run.waiting import until

LAYER = "waits"
PATIENCE = 900
WAITS_FOR = (Converged,)  # the graph brings the ingress
WAITS = True
VERIFIES = True


async def find_ingress(
    online: Online, cluster: Cluster, metallb: MetalLbInstalled, flux: FluxBootstrapped
) -> IngressFound:
    """Find the ingress address."""
    place = online.ingress

    async def address() -> str:
        return await _address(online, cluster)

    what = f"the Service {place.namespace}/{place.service} has an address"
    return IngressFound(
        await until(address, what=what, every=3, changes=cluster.changes("v1", "Service", place.namespace))
    )


async def found(online: Online, cluster: Cluster) -> IngressFound:
    return IngressFound(await _address(online, cluster))


async def still(fact: IngressFound, online: Online, cluster: Cluster) -> bool:
    return await _address(online, cluster) == fact.address


async def _address(online: Online, cluster: Cluster) -> str:
    service = await cluster.find("v1", "Service", online.ingress.service, online.ingress.namespace)
    if service is None:
        raise NotYet("is not there")
    given = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
    if not given or not given[0].get("ip"):
        raise NotYet("has no address yet")
    return str(given[0]["ip"])
