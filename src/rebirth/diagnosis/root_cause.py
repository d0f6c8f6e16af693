"""Why the Flux graph waits: from what waits down to the one object that says why, as far as the API server's objects tell.

Pure functions over objects that somebody else has read. A Kustomization waits for what it depends on, its source, what it
applied; a HelmRelease for its chart, that for its repository; a workload for its pods, a pod for its images, volumes and
configuration. What lies at the end of such a path is a `Cause`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from rebirth.diagnosis.wanted import SOURCES, WORKLOADS, Key, Object, health_checks, mounted, references
from rebirth.providers.cluster import condition, missing_replicas, reason

# Conditions have reasons, and errors of the Kubernetes API, too; what a registry or a server on the web answered is only
# text. In these words it says that it may answer otherwise in a minute.
_PASSING = re.compile(
    r"timeout|timed out|deadline exceeded|refused|reset by peer|\bEOF\b|TLS handshake|temporary failure|temporarily|misbehaving|too ?many ?requests"
    r"|\b(429|50[0234])\b",
    re.IGNORECASE,
)
_DRY_RUN = re.compile(r"dry-run failed \((\w+)\)")
_REJECTED = {"Invalid", "BadRequest"}  # reasons of the Kubernetes API for an object that it will never take
# What the API gives no reason for: text where the schema says number, 10GB, a value that is no base64; no namespace.
# kustomize-controller adds to a failure what it has done before it.
_DONE = re.compile(r"(\s+[A-Z]\w+(/[\w.:-]+)+ (created|configured|unchanged|deleted))+$")
_MISTYPED = re.compile(r"failed to create typed patch object|failed to convert new object|namespace not specified")
_PULLING = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_STARTING = {"ContainerCreating", "PodInitializing"}


class Outlook(Enum):
    """What will become of it."""

    FINAL = "will not fix itself"
    STUCK = "waits for something that may still come"
    WORKING = "is being worked on"


@dataclass(frozen=True)
class Cause:
    """The object at the end, and what it says."""

    key: Key
    message: str
    outlook: Outlook

    def __str__(self) -> str:
        return f"{label(self.key)}: {self.message}"


def label(key: Key) -> str:
    kind, namespace, name = key
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def causes(nodes: Mapping[Key, Object], found: Mapping[Key, Object], absent: Iterable[Key]) -> dict[Key, list[Cause]]:
    """For each node of the Flux graph that is not Ready: why.

    `nodes` are the Kustomizations and HelmReleases, `found` the objects of `KINDS`; `absent` are those of `wanted_objects`
    that are not there.
    """
    search = _Search(nodes, found, frozenset(absent))
    waiting = [key for key, item in nodes.items() if condition(item)[0] != "True" and not item["spec"].get("suspend")]
    return {key: search.of(key) for key in waiting}


class Standstill:
    """For how long the same causes have stood while nothing else of the graph moved."""

    def __init__(self) -> None:
        self._since = 0.0
        self._shape: object = None
        self._final: set[Key] = set()

    def seconds(self, waiting: Mapping[Key, list[Cause]], now: float) -> float:
        """0 as long as anything is worked on, or nothing is final. To be asked again and again."""
        seen = [cause for found in waiting.values() for cause in found]
        final = {cause.key for cause in seen if cause.outlook is Outlook.FINAL}
        working = {cause.key for cause in seen if cause.outlook is Outlook.WORKING}
        # What fails for good is tried again all the same: for that moment it looks as if it were worked on.
        retried = working & self._final
        self._final = final | retried
        shape = frozenset(waiting), frozenset(self._final), frozenset(cause.key for cause in seen)
        if shape != self._shape or working - retried or not self._final:
            self._since, self._shape = now, shape
        return now - self._since if final else 0.0


class _Search:
    def __init__(self, nodes: Mapping[Key, Object], found: Mapping[Key, Object], absent: frozenset[Key]) -> None:
        self._nodes, self._found, self._absent = nodes, found, absent
        self._path: set[Key] = set()
        self._known: dict[Key, list[Cause]] = {}

    def of(self, key: Key) -> list[Cause]:
        """Why a node or source is not Ready; nothing where it is, or where the path comes back to itself."""
        if key not in self._known:
            if key in self._path:
                return []
            self._path.add(key)
            self._known[key] = list(dict.fromkeys(self._look(key)))
            self._path.discard(key)
        return self._known[key]

    def _look(self, key: Key) -> Iterator[Cause]:
        item = self._nodes.get(key) or self._found.get(key)
        if item is None:
            yield Cause(key, "does not exist", Outlook.STUCK)
            return
        status, message = condition(item)
        if status == "True" or _is_static(key, item):
            return
        if missing := [reference for reference in references(key, item) if reference in self._absent]:
            for reference in missing:
                yield Cause(reference, f"does not exist; {label(key)} needs it", Outlook.STUCK)
            return
        if (item.get("spec") or {}).get("suspend"):
            yield Cause(key, "is suspended, so Flux does not reconcile it", Outlook.FINAL)
            return
        if below := [cause for other in self._needed(key, item) for cause in self.of(other)]:
            yield from below
            return
        if unhealthy := [one for _, one in health_checks(item) if one in self._absent]:
            yield from (Cause(one, f"does not exist; {label(key)} waits for it", Outlook.STUCK) for one in unhealthy)
            return
        stalled, why = condition(item, "Stalled")
        message = _DONE.sub("", message)
        outlook = Outlook.FINAL if stalled == "True" else _outlook(key, item, status, message)
        below = [cause for other in self._applied(key, item) for cause in self._at(other)]
        if stalled == "True" and below:
            message = f"{why or message} ({'; '.join(map(str, below))})"
        yield from [Cause(key, message, outlook)] if outlook is Outlook.FINAL or not below else below

    def _needed(self, key: Key, item: Object) -> Iterator[Key]:
        """What has to be Ready before it is even tried."""
        kind, namespace, name = key
        spec = item.get("spec") or {}
        for other in spec.get("dependsOn") or []:
            yield kind, other.get("namespace") or namespace, other["name"]
        reference = spec.get("chartRef") or spec.get("sourceRef")
        if kind == "HelmRelease" and not reference:
            reference = ((spec.get("chart") or {}).get("spec") or {}).get("sourceRef") or {}
            place = reference.get("namespace") or namespace
            chart = ("HelmChart", place, f"{namespace}-{name}")
            if chart in self._found:
                yield chart
                return
        if reference and reference.get("kind") in SOURCES:
            yield reference["kind"], reference.get("namespace") or namespace, reference["name"]

    def _applied(self, key: Key, item: Object) -> Iterator[Key]:
        """What it has applied, by the labels that Flux writes on it, and what operators made of that, by its owner."""
        kind, namespace, name = key
        inventory = ((item.get("status") or {}).get("inventory") or {}).get("entries") or []
        owners = {(parts[0], parts[3], parts[1]) for entry in inventory if len(parts := entry["id"].split("_")) == 4}
        prefix = f"{'kustomize' if kind == 'Kustomization' else 'helm'}.toolkit.fluxcd.io"
        if kind not in {"Kustomization", "HelmRelease"}:
            return
        for other, there in {**self._nodes, **self._found}.items():
            labels = there["metadata"].get("labels") or {}
            owned = {(other[1], o["kind"], o["name"]) for o in there["metadata"].get("ownerReferences") or []} & owners
            mine = (labels.get(f"{prefix}/namespace"), labels.get(f"{prefix}/name")) == (namespace, name)
            if other != key and (mine or (owned and other[0] not in SOURCES)):
                yield other

    def _at(self, key: Key) -> list[Cause]:
        kind, item = key[0], self._found.get(key)
        if kind in WORKLOADS and item is not None:
            return list(self._workload(key, item))
        if kind == "PersistentVolumeClaim" and item is not None:
            return _claim(key, item)
        if kind == "Pod" and item is not None:
            return list(self._pod(key, item))
        return self.of(key) if key in self._nodes or kind in SOURCES else []

    def _workload(self, key: Key, item: Object) -> Iterator[Cause]:
        if not (missing := _unfinished(key, item)):
            return
        below = [cause for pod in self._pods(key, item) for cause in self._pod(*pod)]
        # Replicas say the same: one stands for all.
        yield from {(cause.key[0], cause.outlook): _named_after(key, cause) for cause in reversed(below)}.values()
        if not below:
            failure, message = condition(item, "ReplicaFailure")
            words = message if failure == "True" else missing
            yield Cause(key, words, Outlook.STUCK if failure == "True" else Outlook.WORKING)

    def _pods(self, key: Key, item: Object) -> Iterator[tuple[Key, Object]]:
        selector = ((item.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        for other, pod in self._found.items():
            labels = pod["metadata"].get("labels") or {}
            if other[0] == "Pod" and other[1] == key[1] and selector and selector.items() <= labels.items():
                yield other, pod

    def _pod(self, key: Key, pod: Object) -> Iterator[Cause]:
        status = pod.get("status") or {}
        if status.get("phase") == "Succeeded" or condition(pod)[0] == "True":
            return
        claims = [
            cause
            for volume in (pod.get("spec") or {}).get("volumes") or []
            if (name := (volume.get("persistentVolumeClaim") or {}).get("claimName"))
            for cause in self._volume(("PersistentVolumeClaim", key[1], name))
        ]
        scheduled, message = condition(pod, "PodScheduled")
        if claims and status.get("phase") == "Pending":
            yield from claims
        elif scheduled == "False":
            yield Cause(key, f"cannot be scheduled: {message}", Outlook.STUCK)
        else:
            yield from self._containers(key, pod)

    def _volume(self, key: Key) -> list[Cause]:
        item = self._found.get(key)
        return [Cause(key, "does not exist", Outlook.STUCK)] if item is None else _claim(key, item)

    def _containers(self, key: Key, pod: Object) -> Iterator[Cause]:
        status = pod.get("status") or {}
        spoken = status.get("phase") == "Failed"
        if spoken:
            yield Cause(
                key, f"failed: {status.get('message') or status.get('reason') or 'a container exited'}", Outlook.STUCK
            )
        for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            waiting = (container.get("state") or {}).get("waiting") or {}
            why, message = waiting.get("reason") or "", " ".join((waiting.get("message") or "").split())
            if why in _PULLING:
                absent = [label(reference) for reference in references(key, pod) if reference in self._absent]
                yield _pull(key, container, message or why, absent)
                spoken = True
            elif why and why not in _STARTING:
                yield Cause(key, f"container {container['name']}: {why}{_ended(container, message)}", Outlook.STUCK)
                spoken = True
        if not spoken:
            starting = any((c.get("state") or {}).get("waiting") for c in status.get("containerStatuses") or [{}])
            running = status.get("phase") == "Running" and not starting
            unmounted = [one for one in mounted(key[1], pod.get("spec") or {}) if one in self._absent]
            yield from (Cause(one, "does not exist; pods mount it", Outlook.STUCK) for one in unmounted)
            if unmounted:
                return
            if said := _said_while_starting(status):
                yield Cause(key, said, Outlook.STUCK)
                return
            words = "is running, but not ready" if running else "is starting"
            yield Cause(key, words, Outlook.STUCK if running else Outlook.WORKING)


def _outlook(key: Key, item: Object, status: str, message: str) -> Outlook:
    """What becomes of what says itself that it is not Ready."""
    if status != "False":
        return Outlook.WORKING
    if key[0] in SOURCES:
        return Outlook.STUCK if _PASSING.search(message) else Outlook.FINAL
    if _MISTYPED.search(message):
        return Outlook.FINAL
    if refused := _DRY_RUN.search(message):
        return Outlook.FINAL if refused[1] in _REJECTED else Outlook.STUCK
    final = key[0] == "Kustomization" and reason(item) in {"BuildFailed", "ArtifactFailed"}
    return Outlook.FINAL if final and not _PASSING.search(message) else Outlook.STUCK


def _is_static(key: Key, item: Object) -> bool:
    """An OCI HelmRepository is only an address: no controller reports on it."""
    return key[0] == "HelmRepository" and (item.get("spec") or {}).get("type") == "oci"


def _unfinished(key: Key, item: Object) -> str:
    if key[0] != "Job":
        return missing_replicas(item)
    if condition(item, "Failed")[0] == "True":
        return condition(item, "Failed")[1]
    return "" if condition(item, "Complete")[0] == "True" else "has not finished"


def _claim(key: Key, item: Object) -> list[Cause]:
    if (item.get("status") or {}).get("phase") == "Bound":
        return []
    kind = (item.get("spec") or {}).get("storageClassName") or "the default"
    return [Cause(key, f"no volume yet (storage class: {kind})", Outlook.STUCK)]


def _pull(key: Key, container: Object, message: str, absent: list[str]) -> Cause:
    words = f"image {container.get('image')} cannot be pulled: {message}"
    if absent:
        return Cause(key, f"{words}; {', '.join(absent)} does not exist", Outlook.STUCK)
    return Cause(key, words, Outlook.STUCK if _PASSING.search(message) else Outlook.FINAL)


def _ended(container: Object, message: str) -> str:
    last = (container.get("lastState") or {}).get("terminated") or {}
    if last:
        return f" after exit code {last.get('exitCode')} ({container.get('restartCount', 0)} restarts)"
    return f": {message}" if message else ""


def _said_while_starting(status: Object) -> str:
    """Why a container is still not made: a kubelet says it in events alone, paper in the container's state."""
    waiting = [(one.get("state") or {}).get("waiting") or {} for one in status.get("containerStatuses") or []]
    return next((" ".join(one["message"].split()) for one in waiting if one.get("message")), "")


def _named_after(workload: Key, cause: Cause) -> Cause:
    """A pod's name is another one each time: its workload stands for it."""
    return Cause(workload, cause.message, cause.outlook) if cause.key[0] == "Pod" else cause
