"""What the controllers of a stood-in cluster do, each after a while on the loop's clock. A test takes those that it needs."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from standins.kinds import Kind
from standins.kubernetes import Controller, Kubernetes, Object
from standins.statuses import without_webhook

FLUX = {"Kustomization": "kustomize.toolkit.fluxcd.io/v1", "HelmRelease": "helm.toolkit.fluxcd.io/v2"}
EXTERNAL = "external-secrets.io/v1"


def _meta(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def establishes(after: float = 1.0) -> Controller:
    """CRDs become Established."""

    def look(kubernetes: Kubernetes, change: str, item: Object) -> None:
        if item["kind"] == "CustomResourceDefinition" and change == "ADDED":
            kubernetes.after(after, lambda: kubernetes.condition(item, "Established", "True"))

    return look


def rolls_out(after: float = 2.0, *, only: Callable[[str], bool] = lambda name: True) -> Controller:
    """Workloads get their pods, which are Ready after a while, at each new generation."""

    def look(kubernetes: Kubernetes, change: str, item: Object) -> None:
        namespace, name = _meta(item)
        if item["kind"] not in ("Deployment", "DaemonSet", "StatefulSet") or change == "DELETED" or not only(name):
            return
        generation = item["metadata"]["generation"]
        if item.get("status", {}).get("observedGeneration") == generation:
            return
        replicas = item["spec"].get("replicas", 1)
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{name}-0", "namespace": namespace}}
        kubernetes.put(pod, by="kube-controller-manager")
        counts = ("numberAvailable", "desiredNumberScheduled", "updatedNumberScheduled", "numberReady")
        if item["kind"] != "DaemonSet":
            counts = ("replicas", "availableReplicas", "updatedReplicas", "readyReplicas")

        def ready() -> None:
            kubernetes.condition(pod, "Ready", "True")
            kubernetes.status(item, {"observedGeneration": generation, **dict.fromkeys(counts, replicas)})

        kubernetes.after(after, ready)

    return look


def gives_addresses(address: str, after: float = 2.0) -> Controller:
    """Services of type LoadBalancer get that address."""

    def look(kubernetes: Kubernetes, change: str, item: Object) -> None:
        wanted = item["kind"] == "Service" and item["spec"].get("type") == "LoadBalancer"
        if wanted and change == "ADDED":
            given = {"loadBalancer": {"ingress": [{"ip": address}]}}
            kubernetes.after(after, lambda: kubernetes.status(item, given))

    return look


@dataclass
class Flux:
    """Kustomizations and HelmReleases become Ready a while after what they depend on; a failed one looks again when asked to.

    `fails` says why the named node fails now, or "". `asked` are the nodes that were asked to look again, in order.
    """

    fails: Callable[[str], str] = lambda name: ""
    after: float = 3.0
    asked: list[str] = field(default_factory=list)
    _seen: dict[tuple[str, str, str], tuple[int, str]] = field(default_factory=dict)

    def __call__(self, kubernetes: Kubernetes, change: str, item: Object) -> None:
        if item["apiVersion"] not in FLUX.values():
            return
        node = (item["kind"], *_meta(item))
        if change == "DELETED":
            self._seen.pop(node, None)
            return
        token = item["metadata"].get("annotations", {}).get("reconcile.fluxcd.io/requestedAt", "")
        now = (item["metadata"]["generation"], token)
        before = self._seen.get(node)
        if before == now:
            return
        self._seen[node] = now
        if before and before[1] != token:
            self.asked.append(node[2])
        kubernetes.condition(item, "Ready", "Unknown", "Reconciliation in progress", "Progressing")
        kubernetes.after(self.after, lambda: self._reconcile(kubernetes, item))

    def _reconcile(self, kubernetes: Kubernetes, item: Object) -> None:
        namespace, name = _meta(item)
        for needed in item["spec"].get("dependsOn", []):
            other = kubernetes.get(item["apiVersion"], item["kind"], needed["name"], needed.get("namespace", namespace))
            if not is_true(other, "Ready"):
                text = f"dependency '{namespace}/{needed['name']}' is not ready"
                kubernetes.condition(item, "Ready", "False", text, "DependencyNotReady")
                return
        if why := self.fails(name):
            kubernetes.condition(item, "Ready", "False", why, "ReconciliationFailed")
        else:
            kubernetes.condition(item, "Ready", "True", "Applied revision: main@sha1:0", "ReconciliationSucceeded")


def is_true(item: Object | None, type_: str) -> bool:
    conditions = (item or {}).get("status", {}).get("conditions", [])
    return any(entry["type"] == type_ and entry["status"] == "True" for entry in conditions)


@dataclass
class ExternalSecrets:
    """Stores become valid, and ExternalSecrets are refreshed: when they come, and whenever their annotations change.

    `valid` says whether a store's Vault answers now; `read` what an ExternalSecret finds there, key by key: nothing is a
    failure. As the operator does, it tries again by itself only after a long while.
    """

    valid: Callable[[], bool] = lambda: True
    read: Callable[[str], Mapping[str, str]] = lambda name: {"key": "value"}
    after: float = 0.5
    backs_off: float = 600.0
    _seen: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def __call__(self, kubernetes: Kubernetes, change: str, item: Object) -> None:
        if item["apiVersion"] != EXTERNAL:
            return
        thing = (item["kind"], *_meta(item))
        if change == "DELETED":
            self._seen.pop(thing, None)
            return
        now = (item["metadata"]["generation"], item["metadata"].get("annotations"))
        if self._seen.get(thing) != now:
            self._seen[thing] = now
            kubernetes.after(self.after, lambda: self._look(kubernetes, item))

    def _look(self, kubernetes: Kubernetes, item: Object) -> None:
        store = item["kind"] == "ClusterSecretStore"
        good = self.valid() if store else self.valid() and bool(self.read(item["metadata"]["name"]))
        if good:
            kubernetes.condition(item, "Ready", "True", "store validated" if store else "secret synced", "Valid")
            kubernetes.status(item, {} if store else self._synced(kubernetes, item))
        else:
            why = "unable to validate store" if store else "could not get secret data from provider"
            kubernetes.condition(item, "Ready", "False", why, "InvalidProviderConfig" if store else "SecretSyncedError")
            kubernetes.after(self.backs_off, lambda: self._look(kubernetes, item))

    def _synced(self, kubernetes: Kubernetes, item: Object) -> Object:
        """Its Secret holds what the store has now, and its status says which spec and annotations it looked for."""
        meta = item["metadata"]
        name = item["spec"].get("target", {}).get("name") or meta["name"]
        data = {key: b64encode(value.encode()).decode() for key, value in self.read(meta["name"]).items()}
        place = {"name": name, "namespace": meta["namespace"]}
        kubernetes.put({"apiVersion": "v1", "kind": "Secret", "metadata": place, "data": data}, by="external-secrets")
        looked = repr((meta.get("annotations"), meta.get("labels"))).encode()
        version = f"{meta['generation']}-{sha256(looked).hexdigest()[:8]}"
        return {"refreshTime": kubernetes.now(), "syncedResourceVersion": version}


@dataclass
class Webhook:
    """A validating webhook of some kinds: the API server cannot ask it until its pods are Ready, and have their certificate.

    A pod that was Ready before its certificate was made reads it only when its kubelet looks at it again: after a minute
    or more, or at once when the pod changes.
    """

    kubernetes: Kubernetes
    name: str
    service: str
    namespace: str
    kinds: frozenset[str]
    pod: str
    needs_waking: bool = False

    def __call__(self, kind: Kind, item: Object) -> None:
        if kind.kind not in self.kinds:
            return
        pod = self.kubernetes.get("v1", "Pod", self.pod, self.namespace)
        if not is_true(pod, "Ready"):
            raise without_webhook(self.name, self.service, self.namespace)
        if self.needs_waking and not (pod or {})["metadata"].get("annotations"):
            why = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
            raise without_webhook(self.name, self.service, self.namespace, why)
