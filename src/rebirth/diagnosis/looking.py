"""One look at a whole cluster: what there is of the kinds that have to be Ready, and what was said lately. It only reads."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rebirth.diagnosis.flux_graph import NODES, key_of
from rebirth.diagnosis.wanted import KINDS, OPERATED, Key, Object, wanted_objects
from rebirth.errors import Broken
from rebirth.providers.cluster import Cluster
from rebirth.run.waiting import together

EVENT = "Event"
_EVERYTHING = (
    *NODES,
    *KINDS,
    ("v1", "Node"),
    ("v1", "Service"),
    ("v1", "ResourceQuota"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("apiregistration.k8s.io/v1", "APIService"),
    *OPERATED,
    ("v1", EVENT),
)  # fmt: skip
# The words in which the kubelet and Flux name what they miss.
_NAMED = re.compile(r"\b(secret|configmap)s? \"(?:[\w-]+/)?([\w.-]+)\" not found", re.IGNORECASE)
_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}
_REFUSED = {401, 403}


@dataclass(frozen=True)
class Seen:
    """`objects` are all of the kinds `whole`; `absent` what was asked for besides and is not there; `unread` what the
    credentials may not read.
    """

    objects: Mapping[Key, Object]
    whole: frozenset[str]
    absent: frozenset[Key]
    events: tuple[Object, ...]
    unread: tuple[str, ...]
    now: str  # RFC 3339, UTC


async def look(cluster: Cluster) -> Seen:
    """Reads the cluster once. Raises Broken where nothing at all may be read, and NotYet where nobody answers."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    listed = await together(*(_all(cluster, version, kind) for version, kind in _EVERYTHING))
    unread = dict.fromkeys(
        kind for (_, kind), found in zip(_EVERYTHING, listed, strict=True) if isinstance(found, Broken)
    )
    refused = [found for found in listed if isinstance(found, Broken)]
    if len(refused) == len(listed) or any(found.status == 401 for found in refused):
        raise refused[0]
    found = [
        (kind, items) for (_, kind), items in zip(_EVERYTHING, listed, strict=True) if not isinstance(items, Broken)
    ]
    objects = {key_of(kind, item): item for kind, items in found if kind != EVENT for item in items}
    events = tuple(item for kind, items in found if kind == EVENT for item in items)
    absent, hidden = await _absent(cluster, objects, events)
    whole = frozenset(kind for kind, _ in found if kind not in unread)
    return Seen(objects, whole, absent, events, (*unread, *hidden), now)


async def _all(cluster: Cluster, version: str, kind: str) -> "list[dict[str, Any]] | Broken":
    try:
        return await cluster.all(version, kind)
    except Broken as error:
        if error.status in _REFUSED:
            return error
        raise


async def _absent(
    cluster: Cluster, objects: Mapping[Key, Object], events: Iterable[Object]
) -> tuple[frozenset[Key], list[str]]:
    """Which of the Secrets, ConfigMaps and so on that somebody waits for are not there; and kinds that may not be asked for."""
    flux = {kind for _, kind in NODES}
    nodes = {key: item for key, item in objects.items() if key[0] in flux}
    rest = {key: item for key, item in objects.items() if key not in nodes and not _is_over(item)}
    wanted = wanted_objects(nodes, rest) | dict.fromkeys(_named(objects, events), "v1")
    asked = sorted((key, version) for key, version in wanted.items() if key not in objects)
    there = await together(*(_exists(cluster, version, key) for key, version in asked))
    absent = frozenset(key for (key, _), found in zip(asked, there, strict=True) if found is False)
    return absent, sorted({key[0] for (key, _), found in zip(asked, there, strict=True) if found is None})


def _is_over(item: Object) -> bool:
    return (item.get("status") or {}).get("phase") == "Succeeded"


async def _exists(cluster: Cluster, version: str, key: Key) -> bool | None:
    """None where it may not be asked."""
    kind, namespace, name = key
    try:
        return await cluster.exists(version, kind, name, namespace or None)
    except Broken as error:
        if error.status in _REFUSED:
            return None
        raise


def _named(objects: Mapping[Key, Object], events: Iterable[Object]) -> Iterator[Key]:
    """What is named in words only."""
    for (_, namespace, _), item in objects.items():
        for message in _messages(item.get("status") or {}):
            yield from _of(namespace, message)
    for event in events:
        yield from _of((event.get("involvedObject") or {}).get("namespace") or "", str(event.get("message") or ""))


def _of(namespace: str, message: str) -> Iterator[Key]:
    for match in _NAMED.finditer(message) if namespace else ():
        yield _KINDS[match[1].lower()], namespace, match[2]


def _messages(status: Object) -> Iterator[str]:
    for one in status.get("conditions") or []:
        yield str(one.get("message") or "")
    for one in [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]:
        yield str(((one.get("state") or {}).get("waiting") or {}).get("message") or "")
