"""The status that a kubelet (Kubernetes 1.35) writes into a pod: pkg/kubelet/status/generate.go, pkg/kubelet/kubelet_pods.go. Pure."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from rebirth.paper.api.client import Object
from rebirth.paper.kubelet import needs
from rebirth.paper.kubelet.images import misnamed

_ALWAYS = "Always"


class Where(NamedTuple):
    """Which node a pod is on, and its own address."""

    node_address: str
    pod_address: str


def ends(pod: Object) -> bool:
    """Whether its containers do something and end; only Jobs, and pods that stand alone, may say that."""
    return bool(pod["spec"].get("restartPolicy", _ALWAYS) != _ALWAYS)


def of(pod: Object, there: needs.There, where: Where, now: str) -> Object:
    """As it is once the kubelet has done what it can: Running and Ready, Succeeded, or Pending with the reason in it."""
    spec, namespace = pod["spec"], pod["metadata"].get("namespace", "")
    unmounted = needs.unmounted(pod, there)
    first, main = list(spec.get("initContainers") or []), list(spec["containers"])
    done = ends(pod)
    inits: list[Object] = []
    held = bool(unmounted)
    for container in first:
        why = None if held else _unmade(container, namespace, there)
        state = _waits(held, unmounted, why, initializes=True)
        sidecar = container.get("restartPolicy") == _ALWAYS
        inits.append(_container(pod, container, state or _ran(now, ended=done or not sidecar), init=not sidecar))
        held = held or bool(why)
    initialized = not held
    mains: list[Object] = []
    for container in main:
        why = None if held else _unmade(container, namespace, there)
        state = _waits(held, unmounted, why, initializes=bool(first))
        mains.append(_container(pod, container, state or _ran(now, ended=done)))
    waiting = [one for one in (*inits, *mains) if "waiting" in one["state"]]
    phase = "Pending" if waiting else "Succeeded" if done else "Running"
    return {
        "phase": phase,
        "observedGeneration": pod["metadata"].get("generation", 1),
        "conditions": _conditions(pod, inits, mains, phase, initialized, bool(unmounted), now),
        "hostIP": where.node_address,
        "hostIPs": [{"ip": where.node_address}],
        "podIP": where.pod_address,
        "podIPs": [{"ip": where.pod_address}],
        "startTime": (pod.get("status") or {}).get("startTime", now),
        "qosClass": (pod.get("status") or {}).get("qosClass", "BestEffort"),
        **({"initContainerStatuses": inits} if inits else {}),
        "containerStatuses": mains,
    }


def unschedulable(pod: Object, why: str, nodes: int, now: str) -> Object:
    """The status of a pod that the scheduler does not bind."""
    message = f"0/{nodes} nodes are available: {why}."
    return {"conditions": [_condition(pod, "PodScheduled", False, now, "Unschedulable", message)]}


def _unmade(container: Mapping[str, Any], namespace: str, there: needs.There) -> Object | None:
    """Why the kubelet does not make this container, as the state of one that waits."""
    if why := misnamed(container.get("image", "")):
        return {"reason": "InvalidImageName", "message": why}
    if why := needs.unset(container, namespace, there):
        return {"reason": "CreateContainerConfigError", "message": why}
    return None


def _waits(held: bool, unmounted: str, why: Object | None, *, initializes: bool) -> Object | None:
    """The state of a container that waits. The kubelet says only in an event why a volume is missing; here it is in the state, too."""
    if unmounted:
        return {"waiting": {"reason": "PodInitializing" if initializes else "ContainerCreating", "message": unmounted}}
    if held:
        return {"waiting": {"reason": "PodInitializing"}}
    return {"waiting": why} if why else None


def _ran(now: str, *, ended: bool) -> Object:
    if not ended:
        return {"running": {"startedAt": now}}
    return {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}


def _container(pod: Object, container: Mapping[str, Any], state: Object, *, init: bool = False) -> Object:
    running, ended = "running" in state, "terminated" in state
    made = {} if "waiting" in state else {"containerID": f"paper://{pod['metadata']['uid']}/{container['name']}"}
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": f"paper://{container.get('image', '')}" if made else "",
        "ready": running or (init and ended),
        "started": running,
        "restartCount": 0,
        "lastState": {},
        "state": state,
        **made,
    }


def _conditions(
    pod: Object, inits: list[Object], mains: list[Object], phase: str, initialized: bool, unmounted: bool, now: str
) -> list[Object]:
    unready = [one["name"] for one in mains if not one["ready"]]
    words = "PodCompleted" if phase == "Succeeded" else "ContainersNotReady" if unready else ""
    message = f"containers with unready status: [{' '.join(unready)}]" if words == "ContainersNotReady" else ""
    incomplete = [one["name"] for one in inits if not one["ready"]]
    why = "" if initialized else "ContainersNotInitialized"
    names = f"containers with incomplete status: [{' '.join(incomplete)}]" if why else ""
    ours = [
        _condition(pod, "PodReadyToStartContainers", not unmounted and phase != "Succeeded", now),
        _condition(
            pod,
            "Initialized",
            initialized or phase == "Succeeded",
            now,
            "PodCompleted" if phase == "Succeeded" else why,
            names,
        ),
        _condition(pod, "Ready", not words, now, words, message),
        _condition(pod, "ContainersReady", not words, now, words, message),
        _condition(pod, "PodScheduled", True, now),
    ]
    types = {one["type"] for one in ours}
    others = [one for one in (pod.get("status") or {}).get("conditions") or [] if one["type"] not in types]
    return [*ours, *others]


def _condition(pod: Object, kind: str, true: bool, now: str, reason: str = "", message: str = "") -> Object:
    status = "True" if true else "False"
    before: Object = next((c for c in (pod.get("status") or {}).get("conditions") or [] if c["type"] == kind), {})
    since = before.get("lastTransitionTime", now) if before.get("status") == status else now
    words = {key: text for key, text in (("reason", reason), ("message", message)) if text}
    return {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since, **words}


def moment() -> str:
    """Now, as the API writes times."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
