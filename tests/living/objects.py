"""Objects with the status that their controllers give them: of Kubernetes 1.35, Flux 2.9, External Secrets 1.3, cert-manager 1.21."""

from datetime import UTC, datetime, timedelta
from typing import Any

Object = dict[str, Any]


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


LONG = 60.0  # minutes


def condition(type_: str, status: str, reason: str, message: str = "", minutes: float = LONG, **more: Any) -> Object:
    since = {"lastTransitionTime": ago(minutes)}
    return {"type": type_, "status": status, "reason": reason, "message": message, **since, **more}


def made(version: str, kind: str, name: str, namespace: str = "", *, minutes: float = LONG, labels: Object | None = None,
         owner: tuple[str, str] | None = None, status: Object | None = None, **rest: Any) -> Object:  # fmt: skip
    """An object; `owner` is kind and name of its controller, `rest` its fields, `spec` mostly."""
    meta: Object = {"name": name, "labels": labels or {}, "creationTimestamp": ago(minutes)}
    if namespace:
        meta["namespace"] = namespace
    if owner:
        meta["ownerReferences"] = [
            {"apiVersion": "v1", "kind": owner[0], "name": owner[1], "uid": "u", "controller": True}
        ]
    return {"apiVersion": version, "kind": kind, "metadata": meta, **rest, **({"status": status} if status else {})}


def applied_by(kind: str, name: str, namespace: str = "flux-system") -> Object:
    prefix = f"{'kustomize' if kind == 'Kustomization' else 'helm'}.toolkit.fluxcd.io"
    return {f"{prefix}/name": name, f"{prefix}/namespace": namespace}


def node(name: str, ready: str = "True", reason: str = "KubeletReady",
         message: str = "kubelet is posting ready status", minutes: float = LONG) -> Object:  # fmt: skip
    return made("v1", "Node", name, status={"conditions": [condition("Ready", ready, reason, message, minutes)]})


def pod(workload: str, namespace: str, *, ready: bool = True, machine: str = "worker-1", minutes: float = LONG,
        waiting: Object | None = None, phase: str = "", kind: str = "ReplicaSet", last: Object | None = None,
        restarts: int = 0, scheduled: str = "", **spec: Any) -> Object:  # fmt: skip
    """A pod of a workload of that name; `waiting` is its container's state, `scheduled` why it is on no machine."""
    running = {"running": {"startedAt": ago(minutes)}}
    container = {
        "name": workload,
        "image": f"registry.example/{workload}:1",
        "ready": ready,
        "restartCount": restarts,
        "state": {"waiting": waiting} if waiting else running,
        "lastState": {"terminated": last} if last else {},
    }
    conditions = [
        condition("Ready", str(ready), "" if ready else "ContainersNotReady", "", minutes),
        condition("PodScheduled", str(not scheduled), "Unschedulable" if scheduled else "", scheduled, minutes),
    ]
    status = {"phase": phase or ("Pending" if waiting or scheduled else "Running"), "conditions": conditions}
    if not scheduled:
        status["containerStatuses"] = [container]
        spec = {"nodeName": machine, **spec}
    spec = {"containers": [{"name": workload, "image": container["image"]}], **spec}
    owner = (kind, workload)
    return made(
        "v1",
        "Pod",
        f"{workload}-0",
        namespace,
        labels={"app": workload},
        minutes=minutes,
        spec=spec,
        owner=owner,
        status=status,
    )


def workload(kind: str, name: str, namespace: str, *, available: int = 1, replicas: int = 1, labels: Object | None = None,
             conditions: tuple[Object, ...] = (), minutes: float = LONG, **spec: Any) -> Object:  # fmt: skip
    counts = {"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": available}
    if kind == "DaemonSet":
        counts = {"desiredNumberScheduled": replicas, "updatedNumberScheduled": replicas, "numberAvailable": available}
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    wanted = {} if kind == "DaemonSet" else {"replicas": replicas}
    wanted |= {"selector": {"matchLabels": {"app": name}}, "template": template}
    status = {"observedGeneration": 1, **counts, "conditions": [*conditions]}
    return made(
        "apps/v1",
        kind,
        name,
        namespace,
        labels={"app": name, **(labels or {})},
        minutes=minutes,
        spec=wanted,
        status=status,
    )


def service(name: str, namespace: str, address: str, app: str = "", **spec: Any) -> Object:
    selector = {"selector": {"app": app}} if app else {}
    return made(
        "v1", "Service", name, namespace, spec={"clusterIP": address, "clusterIPs": [address], **selector, **spec}
    )


def event(
    item: Object, reason: str, message: str, *, type_: str = "Warning", minutes: float = LONG, number: int = 0
) -> Object:
    meta = item["metadata"]
    namespace = meta.get("namespace") or "default"
    involved = {"kind": item["kind"], "name": meta["name"], "namespace": meta.get("namespace", "")}
    times = {"firstTimestamp": ago(minutes), "lastTimestamp": ago(min(minutes, 1.0))}
    return made("v1", "Event", f"{meta['name']}.{reason.lower()}.{number}", namespace, involvedObject=involved, reason=reason,
                message=message, type=type_, **times)  # fmt: skip


def ready(version: str, kind: str, name: str, namespace: str = "", status: str = "True", reason: str = "Succeeded",
          message: str = "is ready", *, minutes: float = LONG, labels: Object | None = None, more: tuple[Object, ...] = (),
          **spec: Any) -> Object:  # fmt: skip
    """An object of which a condition Ready says how it is."""
    conditions = [condition("Ready", status, reason, message, minutes), *more]
    return made(version, kind, name, namespace, labels=labels, spec=spec, status={"conditions": conditions})
