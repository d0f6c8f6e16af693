"""The Flux graph of a cluster while it becomes Ready: what was seen of it, and why it waits.

A node that only looked too early is nudged to look again. What waits is reported by what it waits for at the end
(`root_cause`), not by what the node says of itself.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rebirth.diagnosis.cause import Cause, Outlook, label
from rebirth.diagnosis.root_cause import Standstill, causes
from rebirth.diagnosis.wanted import KINDS, OPERATED, Key, wanted_objects
from rebirth.errors import Broken, NotYet
from rebirth.providers.cluster import Cluster, condition, reason, stamp
from rebirth.run.waiting import became_ready, now, nudged, together

NODES = (("kustomize.toolkit.fluxcd.io/v1", "Kustomization"), ("helm.toolkit.fluxcd.io/v2", "HelmRelease"))
WAITS_FOR_OTHERS = "DependencyNotReady"  # Flux' reason of a condition
# The controller's own cache may lag behind the dependency that has just become Ready: then it says so once more, and looks
# again after half a minute.
_AGAIN_FOR_DEPENDENCY = 1.0
_LONGEST_PAUSE = 10.0  # seconds between two nudges of a node that fails each time
# For so long a node that was nudged may say only that it is at work: until then what it said before stands.
_AT_WORK = 10.0
_MOST = 3  # names in a row


class StandstillError(Broken):
    """The graph cannot become Ready: what holds it does not fix itself, and nothing else moves."""


class FluxGraph:
    """Asked again and again with `look`. `stands` is for how many seconds the same causes, of which one does not fix itself,
    have to stand while nothing else moves; `again` how many seconds lie between two nudges of a node, and two searches.
    """

    def __init__(self, cluster: Cluster, root: Key, *, stands: float = 120.0, again: float = 10.0) -> None:
        self._cluster, self._root = cluster, root
        self._stands, self._again = stands, again
        self.ready: dict[Key, float] = {}  # node -> when it was first seen to be Ready, on the clock of waits
        self.waiting: list[Key] = []
        self.why: dict[Key, list[Cause]] = {}
        self._nudged: dict[Key, float] = {}
        self._pauses: dict[Key, float] = {}
        self._searched = now()
        self._standstill = Standstill()

    async def look(self) -> tuple[str, ...]:
        """The names of all Kustomizations, once every node is Ready. Raises NotYet with the causes, StandstillError."""
        every = await nodes(self._cluster)
        found = followed(every)
        ready = {node for node, item in found.items() if condition(item)[0] == "True"}
        for node in sorted(ready - self.ready.keys()):
            became_ready(label(node))
            self.ready[node] = now()
        self.waiting = sorted(found.keys() - ready)
        if self.waiting and now() - self._searched >= self._again:
            await self._search(every)
        await self._nudge(found)
        if self.waiting:
            raise NotYet(told({node: self.why.get(node) or _itself(node, found[node]) for node in self.waiting}))
        if self._root not in ready:
            raise NotYet(f"{self._root[1]}/{self._root[2]} does not exist")
        return kustomizations(found)

    async def _search(self, nodes: Mapping[Key, dict[str, Any]]) -> None:
        """Looks for what is at the end of each wait. Raises StandstillError."""
        self._searched = now()
        kinds = (*KINDS, *OPERATED)
        listed = await together(*(self._cluster.all(version, kind) for version, kind in kinds))
        found = {key_of(kind, item): item for (_, kind), items in zip(kinds, listed, strict=True) for item in items}
        wanted = sorted(wanted_objects(nodes, found).items())
        there = await together(
            *(self._cluster.find(version, kind, name, space or None) for (kind, space, name), version in wanted)
        )
        absent = [key for (key, _), item in zip(wanted, there, strict=True) if item is None]
        self.why = {node: self._said(node, seen) for node, seen in causes(nodes, found, absent).items()}
        if (stood := self._standstill.seconds(self.why, now())) >= self._stands:
            words = f"{told(self.why)}. This has not changed for {stood:.0f} s, and nothing else made progress"
            hint = "Fix this (usually in the repository), then run `rebirth create` again: it resumes here."
            raise StandstillError(words, operation="the Flux graph cannot become Ready", hint=hint)

    def _said(self, node: Key, seen: list[Cause]) -> list[Cause]:
        """What was seen; while a nudged node only says that it tries again, what it said before."""
        trying = [cause.key for cause in seen if cause.outlook is Outlook.WORKING] == [node]
        recently = now() - self._nudged.get(node, -_AT_WORK) < _AT_WORK
        return self.why.get(node, seen) if trying and recently and len(seen) == 1 else seen

    async def _nudge(self, nodes: Mapping[Key, dict[str, Any]]) -> None:
        """Asks for a reconciliation of nodes that failed and need not have: Flux itself looks again only after its interval."""
        for node, item in nodes.items():
            status, message = condition(item)
            usual = self._pauses.get(node, self._again)
            pause = _AGAIN_FOR_DEPENDENCY if reason(item) == WAITS_FOR_OTHERS else usual
            final = any(cause.outlook is Outlook.FINAL for cause in self.why.get(node, ()))
            if status != "False" or final or now() - self._nudged.get(node, -pause) < pause or not _free(node, nodes):
                continue
            self._nudged[node] = now()
            self._pauses[node] = min(2 * usual, max(_LONGEST_PAUSE, self._again))
            asked = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": stamp()}}}
            version = next(version for version, kind in NODES if kind == node[0])
            await self._cluster.merge(version, node[0], node[2], node[1], asked)
            nudged(f"asked Flux to reconcile {label(node)} now; it said: {message}")


def key_of(kind: str, item: Mapping[str, Any]) -> Key:
    return kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]


async def nodes(cluster: Cluster) -> dict[Key, dict[str, Any]]:
    """Every Kustomization and HelmRelease."""
    return {key_of(kind, item): item for version, kind in NODES for item in await cluster.all(version, kind)}


def followed(nodes: Mapping[Key, dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    """Without those that are suspended: nobody waits for them."""
    return {node: item for node, item in nodes.items() if not item["spec"].get("suspend")}


def kustomizations(nodes: Iterable[Key]) -> tuple[str, ...]:
    """namespace/name of the Kustomizations among them."""
    return tuple(f"{namespace}/{name}" for kind, namespace, name in sorted(nodes) if kind == "Kustomization")


def held_up(why: Mapping[Key, Iterable[Cause]]) -> dict[Cause, list[Key]]:
    """Each cause once, what does not fix itself first, with the other nodes that it holds up."""
    held: dict[Cause, list[Key]] = defaultdict(list)
    for node, found in why.items():
        for cause in found:
            held[cause] += [node] if node != cause.key else []
    order = list(Outlook)
    return dict(sorted(held.items(), key=lambda one: order.index(one[0].outlook)))


def told(why: Mapping[Key, Iterable[Cause]]) -> str:
    """The causes, and what they hold up, in one line."""
    return "; ".join(f"{cause}{_names([node[2] for node in held])}" for cause, held in held_up(why).items())


def _itself(node: Key, item: Mapping[str, Any]) -> list[Cause]:
    return [Cause(node, condition(item)[1], Outlook.WORKING)]


def _names(names: Collection[str]) -> str:
    listed = sorted(set(names))
    more = f" and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return f" (holds up {', '.join(listed[:_MOST])}{more})" if listed else ""


def _free(node: Key, nodes: Mapping[Key, dict[str, Any]]) -> bool:
    """Whether everything that the node declares to depend on is Ready."""
    needed = nodes[node]["spec"].get("dependsOn") or []
    others = [(node[0], one.get("namespace") or node[1], one["name"]) for one in needed]
    return all(condition(nodes.get(other))[0] == "True" for other in others)
