"""The repository's Flux graph is Ready."""

from rebirth.diagnosis.cause import label
from rebirth.diagnosis.flux_graph import NODES, WAITS_FOR_OTHERS, FluxGraph, followed, kustomizations
from rebirth.diagnosis.flux_graph import nodes as nodes_of
from rebirth.errors import NotYet
from rebirth.phases.made import outside
from rebirth.providers.access import ClusterAccess
from rebirth.providers.cluster import Cluster, condition, reason
from rebirth.run.facts import (
    CiliumInstalled,
    Converged,
    CoreDnsInstalled,
    ExternalSecretsInstalled,
    FluxBootstrapped,
    HandedOver,
    Made,
    MetalLbInstalled,
    PoolAnnounced,
    StorageInstalled,
    VaultStoreOpened,
)
from rebirth.run.journal import Marks
from rebirth.run.waiting import until

LAYER = "waits"  # not gitops: its graph waits for the hand-over, which a layer order runs after gitops
PATIENCE = 3600
WAITS_FOR = (
    CiliumInstalled,
    CoreDnsInstalled,
    ExternalSecretsInstalled,
    HandedOver,
    MetalLbInstalled,
    PoolAnnounced,
    StorageInstalled,
    VaultStoreOpened,
)  # what the units of the graph use, and Flux does not bring
WAITS = True
ONLINE = 2
HINT = (
    "`kubectl get kustomizations,helmreleases --all-namespaces` shows the rest; fix the repository, and "
    "run the same command again."
)


async def converge(cluster: Cluster, flux: FluxBootstrapped) -> Converged:
    """Wait for the Flux graph to be Ready."""
    await outside.reopen(cluster)
    namespace, _, name = flux.root.partition("/")
    graph = FluxGraph(cluster, ("Kustomization", namespace, name))
    watch = cluster.changes(*NODES[0])
    return Converged(await until(graph.look, what="the Flux graph is Ready", every=1, changes=watch))


async def found(cluster: Cluster, flux: FluxBootstrapped) -> Converged:
    nodes = followed(await nodes_of(cluster))
    waiting = [f"{label(node)}: {condition(nodes[node])[1]}" for node in nodes if condition(nodes[node])[0] != "True"]
    if waiting:
        raise NotYet("; ".join(sorted(waiting)))
    if ("Kustomization", *flux.root.split("/")) not in nodes:
        raise NotYet(f"{flux.root} does not exist")
    return Converged(kustomizations(nodes))


async def still(fact: Converged, cluster: Cluster) -> bool:
    if await outside.closed(cluster):
        return False
    nodes = followed(await nodes_of(cluster))
    names = {f"{namespace}/{name}" for kind, namespace, name in nodes if kind == "Kustomization"}
    # A node that is being reconciled (Unknown) was Ready and is looked at again by Flux itself, and so is one that says
    # that such a node is not ready: that is no failure. One whose dependency has failed is told by the dependency.
    failed = [
        f"{node[2]}: {condition(item)[1]}"
        for node, item in nodes.items()
        if condition(item)[0] == "False" and reason(item) != WAITS_FOR_OTHERS
    ]
    gone = [f"{name}: does not exist" for name in fact.nodes if name not in names]
    if failed or gone:
        raise NotYet("; ".join(failed + gone))
    return True


async def undo(access: ClusterAccess, marks: Marks) -> list[Made]:
    """The volumes and load balancers that its controllers have made elsewhere."""
    return await outside.made_outside(access, marks)
