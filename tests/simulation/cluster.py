"""What lives inside a simulated cluster: Flux with the example's tree, operators, External Secrets, workloads."""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulation import tree
from simulation.canaries import canary
from standins import charts, controllers
from standins.charts import crd, workload
from standins.controllers import EXTERNAL, FLUX, is_true
from standins.kubernetes import Kubernetes, Object
from standins.statuses import Refused

if TYPE_CHECKING:
    from simulation.world import World

_SLOW = (
    600.0  # seconds that a Kustomization waits for its health checks, and a failed ExternalSecret before it looks again
)
_OPERATOR, _PROXY = "tag:k8s-operator", "tag:k8s"


def born(world: "World") -> Kubernetes:
    """A new cluster, with its controllers and webhooks."""
    kubernetes = Kubernetes(_epoch=world.host.outside())
    inside = Inside(world, kubernetes)
    kubernetes.controllers += [
        controllers.establishes(0.5),
        controllers.rolls_out(1.0, only=lambda name: name not in inside.picky),
        controllers.gives_addresses("192.168.50.200", 1.0),
        inside.workloads,
        inside.longhorn,
        inside.tailscale,
        inside.postgres,
        inside.sources,
        _Flux(inside, after=0.3),
        controllers.ExternalSecrets(valid=inside.vault_answers, read=inside.read, backs_off=_SLOW),
    ]
    kubernetes.admission += [
        controllers.Webhook(kubernetes, "secretstore", "external-secrets-webhook", "external-secrets",
                            frozenset({"ClusterSecretStore", "ExternalSecret"}), "external-secrets-webhook-0"),
        controllers.Webhook(kubernetes, "metallb", "metallb-webhook", "metallb-system",
                            frozenset({"IPAddressPool", "L2Advertisement"}), "metallb-controller-0", needs_waking=True),
    ]  # fmt: skip
    return kubernetes


CHARTS = {
    "tailscale-operator": lambda where: [
        crd("tailscale.com", "DNSConfig", "dnsconfigs", version="v1alpha1", namespaced=False),
        workload("Deployment", "operator", where),
    ],
    "pgo": lambda where: [
        crd("postgres-operator.crunchydata.com", "PostgresCluster", "postgresclusters", version="v1beta1"),
        workload("Deployment", "pgo", where),
    ],
    "traefik": lambda where: [
        workload("Deployment", "traefik", where),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "traefik", "namespace": where},
         "spec": {"type": "LoadBalancer", "selector": {"app": "traefik"}}},
    ],
}  # fmt: skip
HELM = {
    ("https://charts.external-secrets.io", "external-secrets", "0.20.4"): charts.external_secrets,
    ("https://metallb.github.io/metallb", "metallb", "0.15.2"): charts.metallb,
    ("https://charts.longhorn.io", "longhorn", "1.10.1"): charts.longhorn,
}


@dataclass
class Inside:
    """The controllers that the castle's repository brings."""

    world: "World"
    kubernetes: Kubernetes
    picky: frozenset[str] = frozenset({"grafana"})  # workloads that are Ready only when they have what they need
    _looking: set[str] = field(default_factory=set)

    def later(self, seconds: float, act: Any) -> None:
        """While this cluster lives; what its machines are switched off for goes on afterwards."""

        def now() -> None:
            if self.world.cluster is self.kubernetes and self.world.api_answers:
                act()
            elif self.world.cluster is self.kubernetes and any(one.etcd for one in self.world.yard.machines.values()):
                self.later(2, act)

        self.world.later(seconds, now)

    # -- Vault, as the cluster reaches it

    def vault_answers(self) -> bool:
        """Over the tailnet: somebody forwards, and the name resolves."""
        config = (
            self.kubernetes.get("tailscale.com/v1alpha1", "DNSConfig", "ts-dns") if self._serves("DNSConfig") else None
        )
        return is_true(config, "NameserverReady") and not self.world.vault.sealed

    def _serves(self, kind: str) -> bool:
        return any(found.kind == kind for found in self.kubernetes.kinds())

    def read(self, name: str) -> Mapping[str, str]:
        if name != "grafana-db":
            return {"password": canary(name)}
        held = self.world.vault.held("tazlab-k8s/static/monitoring/grafana").get("GRAFANA_DB_PASSWORD")
        return {"password": held} if held else {}

    # -- workloads

    def workloads(self, kubernetes: Kubernetes, change: str, item: Object) -> None:
        name = item["metadata"]["name"]
        if item["kind"] == "Deployment" and name in self.picky and change == "ADDED":
            self._await_password(item)

    def _await_password(self, item: Object) -> None:
        made, used = (
            self._password(*place)
            for place in (("tazlab-db", "tazlab-db-pguser-grafana"), ("monitoring", "grafana-db"))
        )
        if made and made == used:
            counts = dict.fromkeys(("replicas", "availableReplicas", "updatedReplicas", "readyReplicas"), 1)
            self.kubernetes.status(item, {"observedGeneration": item["metadata"]["generation"], **counts})
        else:
            self.later(2, lambda: self._await_password(item))

    def _password(self, namespace: str, name: str) -> str:
        found = self.kubernetes.get("v1", "Secret", name, namespace)
        return str((found or {}).get("data", {}).get("password", ""))

    # -- operators

    def longhorn(self, kubernetes: Kubernetes, change: str, item: Object) -> None:
        if item["kind"] == "DaemonSet" and item["metadata"]["name"] == "longhorn-manager" and change == "ADDED":
            there = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "longhorn"},
                     "provisioner": "driver.longhorn.io"}  # fmt: skip
            self.later(2, lambda: kubernetes.put(there, by="longhorn"))

    def tailscale(self, kubernetes: Kubernetes, change: str, item: Object) -> None:
        name = item["metadata"]["name"]
        if change != "ADDED":
            return
        if item["kind"] == "Deployment" and name == "operator":
            self.later(1.5, self._operator_joins)
        if item["kind"] == "DNSConfig":
            self.later(2, lambda: kubernetes.condition(item, "NameserverReady", "True"))
        if item["kind"] == "Service" and "tailscale.com/tailnet-fqdn" in (item["metadata"].get("annotations") or {}):
            self.later(2, self._proxy_joins)

    def _operator_joins(self) -> None:
        node = self.world.control.add_device("tazlab-k8s-operator", tags=(_OPERATOR,))
        self._keep("operator", {"_profiles": json.dumps({"p": {"NodeID": node.identity}})})

    def _proxy_joins(self) -> None:
        node = self.world.control.add_device("tailscale-vault", tags=(_PROXY,))
        self._keep("ts-vault-0", {"device_id": node.identity})

    def _keep(self, name: str, data: Mapping[str, str]) -> None:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        meta = {"name": name, "namespace": "tailscale"}
        self.kubernetes.put({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": encoded}, by="tailscale")

    def sources(self, kubernetes: Kubernetes, change: str, item: Object) -> None:
        if item["kind"] in {"GitRepository", "HelmRepository"} and change == "ADDED":
            self.later(0.3, lambda: kubernetes.condition(item, "Ready", "True", "stored artifact", "Succeeded"))

    def postgres(self, kubernetes: Kubernetes, change: str, item: Object) -> None:
        if item["kind"] == "PostgresCluster" and change == "ADDED":
            self.later(2, self._database)

    def _database(self) -> None:
        if self.kubernetes.get("storage.k8s.io/v1", "StorageClass", "longhorn") is None:
            self.later(2, self._database)
            return
        data = {"password": base64.b64encode(canary("database", secrets.token_hex(8)).encode()).decode()}
        meta = {"name": "tazlab-db-pguser-grafana", "namespace": "tazlab-db"}
        self.kubernetes.put({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}, by="pgo")


class _Flux(controllers.Flux):
    """It applies what the tree has, and waits for it where it is told to."""

    def __init__(self, inside: Inside, *, after: float) -> None:
        super().__init__(after=after)
        self._inside = inside

    def _reconcile(self, kubernetes: Kubernetes, item: Object) -> None:
        live = kubernetes.get(item["apiVersion"], item["kind"], item["metadata"]["name"], item["metadata"]["namespace"])
        if live is None or self._inside.world.cluster is not kubernetes:
            return
        if missing := self._not_ready(kubernetes, live):
            text = f"dependency 'flux-system/{missing}' is not ready"
            kubernetes.condition(live, "Ready", "False", text, "DependencyNotReady")
            kubernetes.after(5, lambda: self._again(kubernetes, live))
            return
        try:
            made = self._apply(kubernetes, live)
        except Refused as refused:
            self._fail(kubernetes, live, refused.message)
            return
        except LookupError as error:
            self._fail(kubernetes, live, f"{error} not found")
            return
        self._await(kubernetes, live, made, self._inside.world.host.now() + _SLOW)

    def _fail(self, kubernetes: Kubernetes, item: Object, why: str) -> None:
        kubernetes.condition(item, "Ready", "False", why, "ReconciliationFailed")
        kubernetes.after(30, lambda: self._again(kubernetes, item))

    def _again(self, kubernetes: Kubernetes, item: Object) -> None:
        """By itself, after its retryInterval."""
        live = kubernetes.get(item["apiVersion"], item["kind"], item["metadata"]["name"], item["metadata"]["namespace"])
        if live and not is_true(live, "Ready"):
            self._reconcile(kubernetes, live)

    def _not_ready(self, kubernetes: Kubernetes, item: Object) -> str:
        for needed in item["spec"].get("dependsOn", []):
            other = kubernetes.get(item["apiVersion"], item["kind"], needed["name"], "flux-system")
            if not is_true(other, "Ready"):
                return str(needed["name"])
        return ""

    def _apply(self, kubernetes: Kubernetes, item: Object) -> list[Object]:
        """Raises Refused, or LookupError for what it is told with and is not there."""
        made: list[Object] = []
        for wanted in self._wanted(kubernetes, item):
            known = [
                kind
                for kind in kubernetes.kinds()
                if (kind.api_version, kind.kind) == (wanted["apiVersion"], wanted["kind"])
            ]
            if not known:
                raise Refused(
                    404, "NotFound", f'no matches for kind "{wanted["kind"]}" in version "{wanted["apiVersion"]}"'
                )
            namespace = wanted["metadata"].get("namespace")
            if namespace and kubernetes.get("v1", "Namespace", namespace) is None:
                raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
            for admit in kubernetes.admission:
                admit(known[0], wanted)
            meta = wanted["metadata"]
            labels = {**(meta.get("labels") or {}), "kustomize.toolkit.fluxcd.io/name": item["metadata"]["name"]}
            made.append(kubernetes.put({**wanted, "metadata": {**meta, "labels": labels}}, by="kustomize-controller"))
        return made

    def _wanted(self, kubernetes: Kubernetes, item: Object) -> Iterator[Object]:
        if item["kind"] == "HelmRelease":
            yield from CHARTS[item["spec"]["chart"]["spec"]["chart"]](item["metadata"]["namespace"])
            return
        if kubernetes.get("v1", "Secret", "flux-system", "flux-system") is None:
            raise LookupError('Secret "flux-system/flux-system"')
        variables: dict[str, str] = {}
        for source in item["spec"].get("postBuild", {}).get("substituteFrom", []):
            found = kubernetes.get("v1", source["kind"], source["name"], "flux-system")
            if found is None:
                raise LookupError(f"ConfigMap {source['name']}")
            variables |= found["data"]
        yield from tree.built(item["spec"]["path"], variables)

    def _await(self, kubernetes: Kubernetes, item: Object, made: list[Object], until: float) -> None:
        """Its health checks: what it has made where it says `wait`, and what it names."""
        if self._inside.world.cluster is not kubernetes:
            return
        named = [(check["apiVersion"], check["kind"], check["name"], check.get("namespace", ""))
                 for check in item["spec"].get("healthChecks", [])]  # fmt: skip
        if item["spec"].get("wait") or item["kind"] == "HelmRelease":
            named += [
                (one["apiVersion"], one["kind"], one["metadata"]["name"], one["metadata"].get("namespace", ""))
                for one in made
            ]
        waiting = [place for place in named if not self._healthy(kubernetes, *place)]
        if not waiting:
            text = "Applied revision: master@sha1:0"
            kubernetes.condition(item, "Ready", "True", text, "ReconciliationSucceeded")
        elif self._inside.world.host.now() > until:
            self._fail(kubernetes, item, f"timeout waiting for: {waiting[0][1]}/{waiting[0][2]}")
        else:
            kubernetes.after(1.0, lambda: self._await(kubernetes, item, made, until))

    def _healthy(self, kubernetes: Kubernetes, version: str, kind: str, name: str, namespace: str) -> bool:
        item = kubernetes.get(version, kind, name, namespace)
        if item is None:
            return False
        status = item.get("status", {})
        if kind in {"Deployment", "StatefulSet"}:
            return status.get("availableReplicas", 0) >= item["spec"].get("replicas", 1)
        if kind == "DNSConfig":
            return is_true(item, "NameserverReady")
        if kind == "CustomResourceDefinition":
            return is_true(item, "Established")
        ready = item["apiVersion"] in {*FLUX.values(), EXTERNAL}
        return not ready or is_true(item, "Ready")
