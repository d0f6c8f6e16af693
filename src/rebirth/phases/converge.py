"""The repository's Flux graph is Ready. A node that only looked too early is nudged to look again."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, condition
from rebirth.run.facts import (
    Converged,
    CoreDnsInstalled,
    ExternalSecretsInstalled,
    FluxBootstrapped,
    HandedOver,
    MetalLbInstalled,
    StorageInstalled,
    VaultStoreOpened,
)
from rebirth.run.waiting import note, until

LAYER = "waits"  # not gitops: its graph waits for the hand-over, which a layer order runs after gitops
PATIENCE = 1200
WAITS_FOR = (
    CoreDnsInstalled,
    ExternalSecretsInstalled,
    HandedOver,
    MetalLbInstalled,
    StorageInstalled,
    VaultStoreOpened,
)  # what the units of the graph use, and Flux does not bring
WAITS = True

_KINDS = (("kustomize.toolkit.fluxcd.io/v1", "Kustomization"), ("helm.toolkit.fluxcd.io/v2", "HelmRelease"))
_AGAIN = 10.0  # seconds before the same node is nudged again
# The controller's own cache may lag behind the dependency that has just become Ready: then it says so once more, and looks
# again after half a minute.
_AGAIN_FOR_DEPENDENCY = 1.0
_Node = tuple[str, str, str]  # kind, namespace, name


async def converge(cluster: Cluster, flux: FluxBootstrapped) -> Converged:
    """Wait for the Flux graph to be Ready."""
    noted: set[_Node] = set()
    nudged: dict[_Node, float] = {}

    async def look() -> Converged:
        nodes = await _nodes(cluster)
        states = {node: condition(item) for node, item in nodes.items()}
        now_ready = {node for node, (status, _) in states.items() if status == "True"}
        for node in sorted(now_ready - noted):
            note(f"{node[0]} {node[1]}/{node[2]} is Ready")
        noted.update(now_ready)
        await _nudge(cluster, nodes, states, nudged)
        return _converged(nodes, states, flux)

    return await until(look, what="the Flux graph is Ready", every=1, changes=cluster.changes(*_KINDS[0]))


def _converged(nodes: Iterable[_Node], states: Mapping[_Node, tuple[str, str]], flux: FluxBootstrapped) -> Converged:
    """Raises NotYet with every node that is not Ready."""
    if waiting := [f"{node[2]}: {states[node][1]}" for node in sorted(nodes) if states[node][0] != "True"]:
        raise NotYet("; ".join(waiting))
    if ("Kustomization", *flux.root.split("/")) not in states:
        raise NotYet(f"{flux.root} is not there")
    return Converged(tuple(f"{namespace}/{name}" for kind, namespace, name in sorted(nodes) if kind == "Kustomization"))


async def found(cluster: Cluster, flux: FluxBootstrapped) -> Converged:
    nodes = await _nodes(cluster)
    return _converged(nodes, {node: condition(item) for node, item in nodes.items()}, flux)


async def still(fact: Converged, cluster: Cluster) -> bool:
    nodes = await _nodes(cluster)
    names = {f"{namespace}/{name}" for kind, namespace, name in nodes if kind == "Kustomization"}
    states = {node: condition(item) for node, item in nodes.items()}
    # A node that is being reconciled (Unknown) was Ready and is looked at again by Flux itself, and so is one that says
    # that such a node is not ready: that is no failure. One whose dependency has failed is told by the dependency.
    failed = [
        f"{node[2]}: {message}"
        for node, (status, message) in states.items()
        if status == "False" and not message.startswith("dependency ")
    ]
    gone = [f"{name}: is not there" for name in fact.nodes if name not in names]
    if failed or gone:
        raise NotYet("; ".join(failed + gone))
    return True


async def _nodes(cluster: Cluster) -> dict[_Node, dict[str, Any]]:
    found = {}
    for version, kind in _KINDS:
        for item in await cluster.all(version, kind):
            if not item["spec"].get("suspend"):
                found[kind, item["metadata"]["namespace"], item["metadata"]["name"]] = item
    return found


def _free(node: _Node, item: Mapping[str, Any], states: Mapping[_Node, tuple[str, str]]) -> bool:
    """Whether everything that the node declares to depend on is Ready."""
    for needed in item["spec"].get("dependsOn") or []:
        other = (node[0], needed.get("namespace", node[1]), needed["name"])
        if states.get(other, ("", ""))[0] != "True":
            return False
    return True


async def _nudge(
    cluster: Cluster,
    nodes: Mapping[_Node, dict[str, Any]],
    states: Mapping[_Node, tuple[str, str]],
    nudged: dict[_Node, float],
) -> None:
    """Asks for a reconciliation of nodes that failed and need not have: Flux itself looks again only after its interval."""
    now = time.monotonic()
    for node, item in nodes.items():
        status, message = states[node]
        pause = _AGAIN_FOR_DEPENDENCY if message.startswith("dependency ") else _AGAIN
        if status == "False" and _free(node, item, states) and now - nudged.get(node, -_AGAIN) >= pause:
            nudged[node] = now
            asked = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": f"{time.time():.3f}"}}}
            version = next(version for version, kind in _KINDS if kind == node[0])
            await cluster.merge(version, node[0], node[2], node[1], asked)
            note(f"nudged {node[0]} {node[1]}/{node[2]}: {message}")
