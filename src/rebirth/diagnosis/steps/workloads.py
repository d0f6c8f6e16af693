"""A workload waits for its pods, a pod for its machine, images, volumes and configuration.

The words are those of the kubelet and of the controllers of Kubernetes 1.35.
"""

from collections.abc import Iterator

from rebirth.diagnosis.cause import Cause, Outlook, label
from rebirth.diagnosis.named import said
from rebirth.diagnosis.search import Search
from rebirth.diagnosis.steps.flux import PASSING
from rebirth.diagnosis.wanted import WORKLOADS, Key, Object, mounted, references
from rebirth.providers.cluster import condition, missing_replicas

_PULLING = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_STARTING = {"ContainerCreating", "PodInitializing"}
_REFUSED = "FailedCreate"  # reason of the event of a controller whose pod the API server does not take
_TAINTED = "untolerated taint"  # the scheduler's word for a node that is gone, too
_BEFORE_STARTING = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")


def workload(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    if not (missing := _unfinished(key, item)):
        return
    below = [cause for one, pod in pods_of(search, key, item) for cause in _pod(search, one, pod)]
    # Replicas say the same: one stands for all, and its claim for all of theirs.
    named = [_named_after(key, cause) for cause in reversed(below)]
    yield from {(_one_for_all(cause.key), cause.outlook): cause for cause in named}.values()
    if not below:
        failure, message = condition(item, "ReplicaFailure")
        refused = message if failure == "True" else search.said(key, _REFUSED)
        yield from said(search, key, refused or missing, Outlook.STUCK if refused else Outlook.WORKING)


def pods_of(search: Search, key: Key, item: Object) -> list[tuple[Key, Object]]:
    """Its pods. One that has failed (was evicted) is replaced: it says nothing of those that came after it."""
    pods = search.pods(key[1], ((item.get("spec") or {}).get("selector") or {}).get("matchLabels") or {})
    return [found for found in pods if (found[1].get("status") or {}).get("phase") != "Failed"] or pods


def pod(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    yield from _pod(search, key, item)


STEPS = {**dict.fromkeys(WORKLOADS, workload), "Pod": pod}


def _pod(search: Search, key: Key, pod: Object) -> Iterator[Cause]:
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded" or condition(pod)[0] == "True":
        return
    machine = ("Node", "", str((pod.get("spec") or {}).get("nodeName") or ""))
    if condition(search.objects.get(machine))[0] == "Unknown":  # what was said of its pods is of before
        yield from search.of(machine)
        return
    claims = [
        cause
        for volume in (pod.get("spec") or {}).get("volumes") or []
        if (name := (volume.get("persistentVolumeClaim") or {}).get("claimName"))
        for cause in _volume(search, ("PersistentVolumeClaim", key[1], name))
    ]
    scheduled, message = condition(pod, "PodScheduled")
    if claims and status.get("phase") == "Pending":
        yield from claims
    elif scheduled == "False":
        lost = [cause for one, _ in search.kinds("Node") for cause in search.of(one)] if _TAINTED in message else ()
        yield from lost or [Cause(key, f"cannot be scheduled: {message}", Outlook.STUCK)]
    else:
        yield from _containers(search, key, pod)


def _volume(search: Search, key: Key) -> list[Cause]:
    return search.of(key) if key in search.objects else [Cause(key, "does not exist", Outlook.STUCK)]


def _containers(search: Search, key: Key, pod: Object) -> Iterator[Cause]:
    status = pod.get("status") or {}
    spoken = status.get("phase") == "Failed"
    if spoken:
        words = status.get("message") or status.get("reason") or "a container exited"
        yield Cause(key, f"failed: {words}", Outlook.STUCK)
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        why, message = waiting.get("reason") or "", " ".join((waiting.get("message") or "").split())
        if why in _PULLING:
            yield from _pull(search, key, pod, container, message or why)
            spoken = True
        elif why and why not in _STARTING:
            words = f"container {container['name']}: {why}{_ended(container, message)}"
            yield from said(search, key, words, Outlook.STUCK)
            spoken = True
    if not spoken:
        yield from _silent(search, key, pod)


def _silent(search: Search, key: Key, pod: Object) -> Iterator[Cause]:
    """What becomes of a pod of which no container says anything."""
    status = pod.get("status") or {}
    starting = any((c.get("state") or {}).get("waiting") for c in status.get("containerStatuses") or [{}])
    running = status.get("phase") == "Running" and not starting
    if unmounted := [one for one in mounted(key[1], pod.get("spec") or {}) if search.is_absent(one)]:
        for one in unmounted:
            yield from search.missing(one, "pods mount it")
    elif words := _said_while_starting(status) or (not running and search.said(key, *_BEFORE_STARTING)):
        yield from said(search, key, words, Outlook.STUCK)
    else:
        probe = search.said(key, "Unhealthy") if running else ""
        words = "is running, but not ready" if running else "is starting"
        yield from said(search, key, f"{words}{probe and f': {probe}'}", Outlook.STUCK if running else Outlook.WORKING)


def _unfinished(key: Key, item: Object) -> str:
    if key[0] != "Job":
        return missing_replicas(item)
    if condition(item, "Failed")[0] == "True":
        return condition(item, "Failed")[1]
    return "" if condition(item, "Complete")[0] == "True" else "has not finished"


def _pull(search: Search, key: Key, pod: Object, container: Object, message: str) -> list[Cause]:
    words = f"image {container.get('image')} cannot be pulled: {message}"
    if absent := [label(reference) for reference in references(key, pod) if search.is_absent(reference)]:
        return [Cause(key, f"{words}; {', '.join(absent)} does not exist", Outlook.STUCK)]
    return said(search, key, words, Outlook.STUCK if PASSING.search(message) else Outlook.FINAL)


def _ended(container: Object, message: str) -> str:
    last = (container.get("lastState") or {}).get("terminated") or {}
    if last:
        words = " ".join(str(last.get("message") or "").split())
        return f" after exit code {last.get('exitCode')} ({container.get('restartCount', 0)} restarts){words and f': {words}'}"
    return f": {message}" if message else ""


def _said_while_starting(status: Object) -> str:
    """Why a container is still not made: a kubelet says it in events alone, paper in the container's state."""
    waiting = [(one.get("state") or {}).get("waiting") or {} for one in status.get("containerStatuses") or []]
    return next((" ".join(one["message"].split()) for one in waiting if one.get("message")), "")


def _one_for_all(key: Key) -> Key:
    return (key[0], key[1], "") if key[0] == "PersistentVolumeClaim" else key


def _named_after(workload: Key, cause: Cause) -> Cause:
    """A pod's name is another one each time: its workload stands for it."""
    return Cause(workload, cause.message, cause.outlook) if cause.key[0] == "Pod" else cause
