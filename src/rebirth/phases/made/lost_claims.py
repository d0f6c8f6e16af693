"""Who waits for what comes of a pod waits for ever where the pod's volume is lost: that is said instead."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from rebirth.errors import Broken, NotYet
from rebirth.phases.made.lost_volumes import HOST, LostVolume, lost_with, nodes_named
from rebirth.providers.cluster import Cluster
from rebirth.run.waiting import now

T = TypeVar("T")
_EVERY = 30.0  # seconds: a claim that has just been made may be bound a moment later


class UnlessLost:
    """`look`, asked in a wait. While it says NotYet, claims in these namespaces (None: in all) are looked at now and then.

    Raises Broken where one is bound to a volume that no node of the cluster can reach.
    """

    def __init__(self, look: Callable[[], Awaitable[T]], cluster: Cluster, namespaces: Collection[str] | None) -> None:
        self._look, self._cluster, self._namespaces = look, cluster, namespaces
        self._asked = now()

    async def look(self) -> Any:
        try:
            return await self._look()
        except NotYet:
            if now() - self._asked >= _EVERY:
                self._asked = now()
                await self._refuse()
            raise

    async def _refuse(self) -> None:
        nodes = [node["metadata"] for node in await self._cluster.all("v1", "Node")]
        there = {name for meta in nodes for name in (meta["name"], (meta.get("labels") or {}).get(HOST, ""))}
        gone = await nodes_named(self._cluster) - there
        lost = [
            volume
            for volume in (await lost_with(self._cluster, gone) if gone else ())
            if volume.claim and (self._namespaces is None or volume.namespace in self._namespaces)
        ]
        if lost:
            raise _broken(lost[0], sorted(gone))


def _broken(volume: LostVolume, gone: list[str]) -> Broken:
    text = f"{volume} lies on {' or '.join(gone)}, and there is no such node"
    things = " ".join([f"pvc/{volume.claim}", *(f"pod/{pod}" for pod in volume.pods)])
    hint = (
        f"Bring that machine back; or give up what was on it: `kubectl --namespace {volume.namespace} delete --force {things}`, and "
        "whoever keeps them makes new ones, which are empty."
    )
    return Broken(text, operation="wait for volumes", hint=hint)
