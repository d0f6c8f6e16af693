"""What `online` means where nothing has an address to be visited at: a workload, such as a tunnel's, or a part of the Flux graph."""

from rebirth.castle import Awaited
from rebirth.errors import NotYet
from rebirth.phases.made.rollout import PODS
from rebirth.providers.cluster import Cluster, condition, missing_replicas
from rebirth.run.facts import AwaitedReady, Converged, FluxBootstrapped
from rebirth.run.waiting import until

LAYER = "waits"
PATIENCE = 3600  # as long as the whole graph may take
WAITS_FOR = (Converged,)  # the graph brings it
WAITS = True
VERIFIES = True
ONLINE = 3
HINT = PODS

_FLUX = "kustomize.toolkit.fluxcd.io/v1"


async def await_ready(awaited: Awaited, cluster: Cluster, flux: FluxBootstrapped | None) -> AwaitedReady:
    """Wait for what `online` names to be ready."""

    async def ready() -> AwaitedReady:
        return await _ready(awaited, cluster)

    watch = cluster.changes(_version(awaited), awaited.kind, awaited.namespace)
    return await until(ready, what=f"{_name(awaited)} is ready", every=3, changes=watch)


async def found(awaited: Awaited, cluster: Cluster) -> AwaitedReady:
    return await _ready(awaited, cluster)


async def still(fact: AwaitedReady, awaited: Awaited, cluster: Cluster) -> bool:
    return await _ready(awaited, cluster) == fact


async def _ready(awaited: Awaited, cluster: Cluster) -> AwaitedReady:
    item = await cluster.find(_version(awaited), awaited.kind, awaited.name, awaited.namespace)
    if awaited.kind == "Kustomization":
        status, message = condition(item)
        waits = "" if status == "True" else message
    else:
        waits = missing_replicas(item)
    if waits:
        raise NotYet(waits)
    return AwaitedReady(_name(awaited))


def _version(awaited: Awaited) -> str:
    return _FLUX if awaited.kind == "Kustomization" else "apps/v1"


def _name(awaited: Awaited) -> str:
    return f"the {awaited.kind} {awaited.namespace}/{awaited.name}"
