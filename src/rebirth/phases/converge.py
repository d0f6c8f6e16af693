"""The repository's Flux graph is Ready. A node that only looked too early is nudged to look again.

What waits is reported by what it waits for at the end (`root_cause`), not by what the node says of itself.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rebirth.diagnosis.root_cause import KINDS, Cause, Key, Outlook, Standstill, causes, label, wanted_objects
from rebirth.errors import Broken, NotYet
from rebirth.providers.cluster import Cluster, condition, reason, stamp
from rebirth.run.facts import (
    CiliumInstalled,
    Converged,
    CoreDnsInstalled,
    ExternalSecretsInstalled,
    FluxBootstrapped,
    HandedOver,
    MetalLbInstalled,
    PoolAnnounced,
    StorageInstalled,
    VaultStoreOpened,
)
from rebirth.run.waiting import became_ready, now, nudged, together, until

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

_NODES = (("kustomize.toolkit.fluxcd.io/v1", "Kustomization"), ("helm.toolkit.fluxcd.io/v2", "HelmRelease"))
_WAITS_FOR_OTHERS = "DependencyNotReady"  # Flux' reason of a condition
_AGAIN = 10.0  # seconds before the same node is nudged again
# The controller's own cache may lag behind the dependency that has just become Ready: then it says so once more, and looks
# again after half a minute.
_AGAIN_FOR_DEPENDENCY = 1.0
_SEARCH_EVERY = 10.0  # seconds between two searches for what the graph waits for
# So long the same causes, of which one does not fix itself, have to stand while nothing else moves: at a first boot names,
# webhooks and registries are missing for a while.
_STANDS = 120.0
_MOST = 3  # names in a row


async def converge(cluster: Cluster, flux: FluxBootstrapped) -> Converged:
    """Wait for the Flux graph to be Ready."""
    namespace, _, name = flux.root.partition("/")
    graph = _Graph(cluster, ("Kustomization", namespace, name))
    watch = cluster.changes(*_NODES[0])
    return Converged(await until(graph.look, what="the Flux graph is Ready", every=1, changes=watch))


async def found(cluster: Cluster, flux: FluxBootstrapped) -> Converged:
    nodes = _followed(await _nodes(cluster))
    waiting = [f"{label(node)}: {condition(nodes[node])[1]}" for node in nodes if condition(nodes[node])[0] != "True"]
    if waiting:
        raise NotYet("; ".join(sorted(waiting)))
    if ("Kustomization", *flux.root.split("/")) not in nodes:
        raise NotYet(f"{flux.root} does not exist")
    return Converged(_kustomizations(nodes))


async def still(fact: Converged, cluster: Cluster) -> bool:
    nodes = _followed(await _nodes(cluster))
    names = {f"{namespace}/{name}" for kind, namespace, name in nodes if kind == "Kustomization"}
    # A node that is being reconciled (Unknown) was Ready and is looked at again by Flux itself, and so is one that says
    # that such a node is not ready: that is no failure. One whose dependency has failed is told by the dependency.
    failed = [
        f"{node[2]}: {condition(item)[1]}"
        for node, item in nodes.items()
        if condition(item)[0] == "False" and reason(item) != _WAITS_FOR_OTHERS
    ]
    gone = [f"{name}: does not exist" for name in fact.nodes if name not in names]
    if failed or gone:
        raise NotYet("; ".join(failed + gone))
    return True


class _Graph:
    """The Flux graph while it is waited for: what was seen of it, and why it waits."""

    def __init__(self, cluster: Cluster, root: Key) -> None:
        self._cluster, self._root = cluster, root
        self._seen_ready: set[Key] = set()
        self._nudged: dict[Key, float] = {}
        self._searched = now()
        self._why: dict[Key, list[Cause]] = {}
        self._standstill = Standstill()

    async def look(self) -> tuple[str, ...]:
        every = await _nodes(self._cluster)
        nodes = _followed(every)
        ready = {node for node, item in nodes.items() if condition(item)[0] == "True"}
        for node in sorted(ready - self._seen_ready):
            became_ready(label(node))
        self._seen_ready |= ready
        waiting = sorted(nodes.keys() - ready)
        if waiting and now() - self._searched >= _SEARCH_EVERY:
            await self._search(every)
        await self._nudge(nodes)
        if waiting:
            raise NotYet(_told({node: self._why.get(node) or _itself(node, nodes[node]) for node in waiting}))
        if self._root not in ready:
            raise NotYet(f"{self._root[1]}/{self._root[2]} does not exist")
        return _kustomizations(nodes)

    async def _search(self, nodes: Mapping[Key, dict[str, Any]]) -> None:
        """Looks for what is at the end of each wait. Raises Broken where that does not fix itself and nothing else moves."""
        self._searched = now()
        listed = await together(*(self._cluster.all(version, kind) for version, kind in KINDS))
        found = {_key(kind, item): item for (_, kind), items in zip(KINDS, listed, strict=True) for item in items}
        wanted = sorted(wanted_objects(nodes, found))
        there = await together(*(self._cluster.find("v1", kind, name, namespace) for kind, namespace, name in wanted))
        absent = [key for key, item in zip(wanted, there, strict=True) if item is None]
        self._why = causes(nodes, found, absent)
        if (stood := self._standstill.seconds(self._why, now())) >= _STANDS:
            words = f"{_told(self._why)}. This has not changed for {stood:.0f} s, and nothing else made progress"
            hint = "Fix this (usually in the repository), then run `rebirth create` again: it resumes here."
            raise Broken(words, operation="the Flux graph cannot become Ready", hint=hint)

    async def _nudge(self, nodes: Mapping[Key, dict[str, Any]]) -> None:
        """Asks for a reconciliation of nodes that failed and need not have: Flux itself looks again only after its interval."""
        for node, item in nodes.items():
            status, message = condition(item)
            pause = _AGAIN_FOR_DEPENDENCY if reason(item) == _WAITS_FOR_OTHERS else _AGAIN
            final = any(cause.outlook is Outlook.FINAL for cause in self._why.get(node, ()))
            if status != "False" or final or now() - self._nudged.get(node, -_AGAIN) < pause or not _free(node, nodes):
                continue
            self._nudged[node] = now()
            asked = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": stamp()}}}
            version = next(version for version, kind in _NODES if kind == node[0])
            await self._cluster.merge(version, node[0], node[2], node[1], asked)
            nudged(f"asked Flux to reconcile {label(node)} now; it said: {message}")


def _key(kind: str, item: Mapping[str, Any]) -> Key:
    return kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]


async def _nodes(cluster: Cluster) -> dict[Key, dict[str, Any]]:
    return {_key(kind, item): item for version, kind in _NODES for item in await cluster.all(version, kind)}


def _followed(nodes: Mapping[Key, dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    """Without those that are suspended: nobody waits for them."""
    return {node: item for node, item in nodes.items() if not item["spec"].get("suspend")}


def _kustomizations(nodes: Iterable[Key]) -> tuple[str, ...]:
    return tuple(f"{namespace}/{name}" for kind, namespace, name in sorted(nodes) if kind == "Kustomization")


def _itself(node: Key, item: Mapping[str, Any]) -> list[Cause]:
    return [Cause(node, condition(item)[1], Outlook.WORKING)]


def _told(why: Mapping[Key, Iterable[Cause]]) -> str:
    """Each cause once, what does not fix itself first, with the nodes that it holds up."""
    held: dict[Cause, list[str]] = defaultdict(list)
    for node, found in why.items():
        for cause in found:
            held[cause] += [node[2]] if node != cause.key else []
    order = list(Outlook)
    return "; ".join(
        f"{cause}{_names(names)}" for cause, names in sorted(held.items(), key=lambda one: order.index(one[0].outlook))
    )


def _names(names: Collection[str]) -> str:
    listed = sorted(set(names))
    more = f" and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return f" (holds up {', '.join(listed[:_MOST])}{more})" if listed else ""


def _free(node: Key, nodes: Mapping[Key, dict[str, Any]]) -> bool:
    """Whether everything that the node declares to depend on is Ready."""
    needed = nodes[node]["spec"].get("dependsOn") or []
    others = [(node[0], one.get("namespace") or node[1], one["name"]) for one in needed]
    return all(condition(nodes.get(other))[0] == "True" for other in others)
