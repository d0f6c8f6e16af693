"""Objects as Flux and the kubelet leave them, each as {key: object}, so that they may be joined."""

NO_HOST = (
    "failed to fetch Helm repository index: failed to cache index to temporary file: Get "
    '"https://charts.jetstack.io/index.yaml": dial tcp: lookup charts.jetstack.io on 10.0.0.1:53: no such host'
)


def item(kind, name, ready=None, message="", *, namespace="flux-system", why="Failed", more=(), labels=None, **rest):
    """An object; `ready` is its condition's status, `more` other conditions as (type, status, message)."""
    conditions = [{"type": "Ready", "status": ready, "message": message, "reason": why}] if ready else []
    conditions += [{"type": type_, "status": status, "message": said, "reason": "X"} for type_, status, said in more]
    status = {"conditions": conditions, **rest.pop("status", {})}
    meta = {"name": name, "namespace": namespace, "labels": labels or {}, **rest.pop("metadata", {})}
    return {(kind, namespace, name): {"metadata": meta, "spec": rest, "status": status}}


def applied_by(kind, name, namespace="flux-system"):
    prefix = "kustomize" if kind == "Kustomization" else "helm"
    return {f"{prefix}.toolkit.fluxcd.io/name": name, f"{prefix}.toolkit.fluxcd.io/namespace": namespace}


def release(ready="False", message="HelmChart is not ready", **rest):
    source = {"spec": {"chart": "cert-manager", "sourceRef": {"kind": "HelmRepository", "name": "jetstack"}}}
    labels = applied_by("Kustomization", "infra")
    return item("HelmRelease", "cert-manager", ready, message, labels=labels, chart=source, **rest)


def chart(message="no artifact available for HelmRepository source 'jetstack'"):
    reference = {"kind": "HelmRepository", "name": "jetstack"}
    return item("HelmChart", "flux-system-cert-manager", "False", message, sourceRef=reference)


def deployment(name="web", labels=None, **status):
    state = {"observedGeneration": 1, "replicas": 1, **status}
    selector = {"matchLabels": {"app": name}}
    meta = {"generation": 1}
    return item("Deployment", name, labels=labels, metadata=meta, selector=selector, replicas=1, status=state)


def pod(name="web-1", app="web", *, waiting=None, phase="Pending", last=None, more=(), **spec):
    state = {"waiting": waiting} if waiting else {"running": {}}
    container = {"name": "main", "image": "registry.example/web:1", "state": state, "restartCount": 4}
    container |= {"lastState": {"terminated": last}} if last else {}
    status = {"phase": phase, "containerStatuses": [container]}
    return item("Pod", name, labels={"app": app}, more=more, status=status, **spec)
