"""The roots of what is not Ready in a cluster, what everything else waits for first, each with the tree of what it holds up.

A root is broken, or it is waited for: what has only just begun, and may still come by itself, is not called broken.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rebirth.diagnosis.cause import Cause, Outlook
from rebirth.diagnosis.looking import Seen
from rebirth.diagnosis.search import Search
from rebirth.diagnosis.steps import STEPS
from rebirth.diagnosis.steps.workloads import pods_of
from rebirth.diagnosis.wanted import WORKLOADS, Key, Object
from rebirth.providers.cluster import condition

# Seconds for which something may be like that before it is called broken: five minutes are those of a machine that boots and of
# an image that is pulled; ten are Kubernetes' own for a Deployment that makes no progress.
_PATIENCE = {Outlook.FINAL: 0.0, Outlook.STUCK: 300.0, Outlook.WORKING: 600.0}
# Looked at where something else needs them only.
_PARTS = {"Service", "CertificateRequest", "Order", "Challenge"}
_KEPT = {"ReplicaSet", "ReplicationController", *WORKLOADS}  # whoever keeps pods speaks for them
_SYSTEM = "kube-system"  # what everything else runs on
_READY = {"Ready", "Available", "PodScheduled"}  # types of conditions that are bad unless they are True
_BAD = {"Stalled", "FetchFailed", "ReplicaFailure"}  # and those that are bad when they are


class Word(StrEnum):
    BROKEN = "broken"
    WAITS = "waits"


@dataclass(frozen=True)
class Held:
    """Something that waits, and what waits for it in turn."""

    key: Key
    holds: tuple["Held", ...]


@dataclass(frozen=True)
class Root:
    cause: Cause
    word: Word
    seconds: float | None  # for how long it has been so; None where nobody says it
    holds: tuple[Held, ...]

    def held(self) -> Iterator[Key]:
        """Everything that it holds up."""
        return _flat(self.holds)


def roots(seen: Seen, made_by: Mapping[Key, Collection[Key]] | None = None) -> list[Root]:
    """What is at the root of all that is not Ready: what is broken first, and of that what the most waits for.

    `made_by` says who makes what is not there, as far as somebody else knows.
    """
    search = Search(
        seen.objects, STEPS, seen.absent, whole=seen.whole, events=seen.events, made_by=made_by, now=seen.now
    )
    waiting = {
        key: found for key, item in seen.objects.items() if _counts(search, key, item) and (found := search.of(key))
    }
    causes: dict[Key, Cause] = {}
    for found in waiting.values():
        for cause in found:
            causes.setdefault(cause.key, cause)
    listed = [_root(search, cause, waiting) for cause in causes.values()]
    order = list(Outlook)
    return sorted(
        listed,
        key=lambda root: (
            root.word is Word.WAITS,
            _depth(root.cause.key),
            order.index(root.cause.outlook),
            -len(list(root.held())),
            root.cause.key,
        ),
    )


def _counts(search: Search, key: Key, item: Object) -> bool:
    """Whether somebody has to look at it where it is not Ready."""
    meta, spec = item["metadata"], item.get("spec") or {}
    if key[0] in _PARTS or key[0] not in STEPS or spec.get("suspend") or meta.get("deletionTimestamp"):
        return False
    keeper: Object = next((one for one in meta.get("ownerReferences") or [] if one.get("controller")), {})
    if key[0] == "Pod":
        return keeper.get("kind") not in _KEPT
    if key[0] == "Job":
        newest = keeper.get("kind") != "CronJob" or _is_newest(search, keeper["name"], key, item)
        return newest and not _runs(search, key, item)
    return True


def _is_newest(search: Search, keeper: str, key: Key, item: Object) -> bool:
    """Of the Jobs that a CronJob has made, only the last one says how it is."""
    made = [
        there["metadata"].get("creationTimestamp") or ""
        for other, there in search.kinds("Job")
        if other[1] == key[1]
        and any(one.get("name") == keeper for one in there["metadata"].get("ownerReferences") or [])
    ]
    return (item["metadata"].get("creationTimestamp") or "") == max(made)


def _runs(search: Search, key: Key, item: Object) -> bool:
    """Whether it has not finished, and nothing keeps it from that."""
    if condition(item, "Failed")[0] == "True":
        return False
    return all(cause.key == key and cause.outlook is Outlook.WORKING for cause in search.of(key))


def _root(search: Search, cause: Cause, waiting: Mapping[Key, list[Cause]]) -> Root:
    tree = _tree(search, cause.key, cause.key, {cause.key})
    shown = {cause.key, *_flat(tree)}
    rest = (key for key, found in waiting.items() if key not in shown and any(one.key == cause.key for one in found))
    holds = (*tree, *(Held(key, ()) for key in sorted(rest)))
    seconds = _seconds(search, cause.key, [one.key for one in holds])
    late = cause.outlook is Outlook.FINAL or (seconds is not None and seconds >= _PATIENCE[cause.outlook])
    return Root(cause, Word.BROKEN if late else Word.WAITS, seconds, holds)


def _tree(search: Search, key: Key, root: Key, shown: set[Key]) -> tuple[Held, ...]:
    waiters = [one for one in sorted(search.held.get(key, ())) if one not in shown and search.is_known(one, root)]
    shown |= {*waiters}
    return tuple(Held(one, _tree(search, one, root, shown)) for one in waiters)


def _flat(held: Iterable[Held]) -> Iterator[Key]:
    for one in held:
        yield one.key
        yield from _flat(one.holds)


def _depth(key: Key) -> int:
    """What everything else runs on comes first: with its machine a pod is gone, whatever else it says."""
    return 0 if key[0] == "Node" else 1 if key[1] == _SYSTEM else 2


def _seconds(search: Search, key: Key, holds: Iterable[Key]) -> float | None:
    """For how long it has been so; what is not there says nothing, so the first that waits for it does."""
    if key in search.objects:
        since = _since(search, key)
    else:
        since = min(filter(None, (_since(search, one) for one in holds if one in search.objects)), default="")
    return _time(search.now) - _time(since) if since and search.now else None


def _since(search: Search, key: Key) -> str:
    """Since when it is not Ready; an RFC 3339 time, "" where nobody says it."""
    item = search.objects[key]
    if key[0] in WORKLOADS:
        pods = [pod for _, pod in pods_of(search, key, item) if condition(pod)[0] != "True"]
        told = [
            str(event.get("firstTimestamp") or "") for event in search.events(key) if event.get("type") == "Warning"
        ]
        if said := [*filter(None, map(_changed, pods)), *filter(None, told)]:
            return min(said)
    return _changed(item) or str(item["metadata"].get("creationTimestamp") or "")


def _changed(item: Object) -> str:
    """When the first of the conditions that are not as they should be became so; else when the object was made."""
    found = [
        str(one.get("lastTransitionTime") or "")
        for one in (item.get("status") or {}).get("conditions") or []
        if one["type"] in (_BAD if one["status"] == "True" else _READY)
    ]
    return min(filter(None, found), default=str(item["metadata"].get("creationTimestamp") or ""))


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
