"""The kubelets on paper: what they would make of each pod, written into its status once, and again when what it waits for changes."""

from collections import defaultdict
from collections.abc import Callable

from rebirth.paper.api.client import Api, Kind, Object
from rebirth.paper.api.kinds import CLAIM, CONFIG_MAP, POD, SECRET
from rebirth.paper.api.seen import Key, Seen, key_of
from rebirth.paper.api.work import Work
from rebirth.paper.kubelet import needs, statuses
from rebirth.paper.kubelet.nodes import PaperNode
from rebirth.paper.kubelet.scheduling import Scheduler
from rebirth.paper.kubelet.there import Namespace

_ENDED = {"Succeeded", "Failed"}
_TIMES = {"lastTransitionTime", "startedAt", "finishedAt", "startTime"}


class Pods:
    """All pods of the cluster. What has come to Running or to its end is not looked at again, until it is deleted."""

    def __init__(self, api: Api, seen: Seen, scheduler: Scheduler, refused: Callable[[Key, str], None]) -> None:
        self._api, self._seen, self._scheduler = api, seen, scheduler
        self.work: Work[Key] = Work(self._look, refused, at_once=16)
        self._settled: set[str] = set()  # uids
        self._held: defaultdict[str, set[Key]] = defaultdict(set)  # namespace -> pods that wait for something
        self._written: dict[str, Object] = {}  # uid -> the status that says why it waits, without times
        self._count: defaultdict[str, int] = defaultdict(int)  # pods that were on a node

    def heard(self, kind: Kind, item: Object, gone: bool) -> None:
        """A change that was seen."""
        if kind in {SECRET, CONFIG_MAP, CLAIM}:
            for key in tuple(self._held[item["metadata"]["namespace"]]):
                self.work.add(key)
        elif kind == POD:
            meta = item["metadata"]
            if gone:
                self._forget(key_of(item), meta["uid"])
            elif "deletionTimestamp" in meta or meta["uid"] not in self._settled:
                self.work.add(key_of(item))

    def _forget(self, key: Key, uid: str) -> None:
        self._settled.discard(uid)
        self._written.pop(uid, None)
        self._held[key[0]].discard(key)

    async def _look(self, key: Key) -> None:
        pod = self._seen.get(POD, *key)
        if pod is None:
            return
        meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
        if "deletionTimestamp" in meta:
            if meta.get("deletionGracePeriodSeconds") != 0:  # else only finalizers keep it
                await self._api.delete(POD, *key, meta["uid"])
            return
        if status.get("phase") in _ENDED or spec.get("schedulingGates") or meta["uid"] in self._settled:
            return
        node = self._scheduler.node(spec["nodeName"]) if spec.get("nodeName") else await self._scheduler.bind(pod)
        if node is None:
            why = needs.unbound(pod, Namespace(self._seen, key[0]))
            await self._hold(key, pod, statuses.unschedulable(pod, why, len(self._scheduler.nodes), statuses.moment()))
            return
        wanted = statuses.of(pod, Namespace(self._seen, key[0]), self._where(pod, node), statuses.moment())
        if wanted["phase"] == "Pending":
            await self._hold(key, pod, wanted)
            return
        self._held[key[0]].discard(key)
        await self._api.merge(POD, *key, {"status": wanted}, "status")
        self._settled.add(meta["uid"])

    async def _hold(self, key: Key, pod: Object, status: Object) -> None:
        """Writes why it waits, unless that was written."""
        uid, said = pod["metadata"]["uid"], _without_times(status)
        self._held[key[0]].add(key)
        if self._written.get(uid) != said:
            await self._api.merge(POD, *key, {"status": status}, "status")
            self._written[uid] = said

    def _where(self, pod: Object, node: PaperNode) -> statuses.Where:
        if pod["spec"].get("hostNetwork"):
            return statuses.Where(node.address, node.address)
        if own := (pod.get("status") or {}).get("podIP"):
            return statuses.Where(node.address, own)
        self._count[node.name] += 1
        return statuses.Where(node.address, node.pod_address(self._count[node.name]))


def _without_times(value: Object) -> Object:
    def walk(found: object) -> object:
        if isinstance(found, dict):
            return {key: walk(one) for key, one in found.items() if key not in _TIMES}
        return [walk(one) for one in found] if isinstance(found, list) else found

    return {key: walk(one) for key, one in value.items() if key not in {*_TIMES, "podIP", "podIPs"}}
