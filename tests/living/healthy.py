"""A cluster in which all is Ready, and much that only looks as if it were not."""

from collections.abc import Callable
from typing import Any

from cluster.conftest import Inside
from living.objects import Object, ago, applied_by, made, node, pod, ready, service, workload
from rebirth.diagnosis.looking import Seen, look
from rebirth.diagnosis.roots import Root, roots

KUSTOMIZE, HELM, SOURCE = "kustomize.toolkit.fluxcd.io/v1", "helm.toolkit.fluxcd.io/v2", "source.toolkit.fluxcd.io/v1"
ESO, CERTS = "external-secrets.io/v1", "cert-manager.io/v1"
ADMISSION = "admissionregistration.k8s.io/v1"
_KINDS = {
    KUSTOMIZE: "Kustomization", HELM: "HelmRelease", SOURCE: "GitRepository HelmRepository HelmChart",
    ESO: "ExternalSecret SecretStore", CERTS: "Certificate CertificateRequest Issuer",
}  # fmt: skip
_OF_NO_NAMESPACE = {ESO: "ClusterSecretStore", CERTS: "ClusterIssuer"}
APPS = applied_by("Kustomization", "apps")
INFRA = applied_by("Kustomization", "infra")


def kustomization(name: str, *after: str, status: str = "True", reason: str = "ReconciliationSucceeded",
                  message: str = "Applied revision: main@sha1:0", **spec: Any) -> Object:  # fmt: skip
    spec = {"path": f"./{name}", "dependsOn": [{"name": one} for one in after], **spec}
    reference = {"kind": "GitRepository", "name": "flux-system"}
    labels = applied_by("Kustomization", "flux-system")
    return ready(KUSTOMIZE, "Kustomization", name, "flux-system", status, reason, message, labels=labels,
                 sourceRef=reference, **spec)  # fmt: skip


def waits(name: str, *after: str, **spec: Any) -> Object:
    """As kustomize-controller says of one whose dependency is not Ready."""
    message = f"dependency 'flux-system/{after[0]}' is not ready"
    return kustomization(name, *after, status="False", reason="DependencyNotReady", message=message, **spec)


def progressing(name: str, *after: str, **spec: Any) -> Object:
    message = "Running health checks for revision main@sha1:0 with a timeout of 5m0s"
    return kustomization(name, *after, status="Unknown", reason="Progressing", message=message, **spec)


class Healthy:
    """Tests put other objects in the place of some of these, and look."""

    def __init__(self, inside: Inside) -> None:
        self.inside, self.kubernetes = inside, inside.kubernetes
        for version, kinds in _KINDS.items():
            inside.serve(
                *version.split("/"),
                *kinds.split(),
                plurals={"GitRepository": "gitrepositories", "HelmRepository": "helmrepositories"},
            )
        for version, kind in _OF_NO_NAMESPACE.items():
            inside.serve(*version.split("/"), kind, scope="Cluster")
        for name in ("flux-system", "apps", "vault", "cert-manager"):
            self.put(made("v1", "Namespace", name))
        for item in (*_platform(), *_flux(), *_secrets(), *_certificates(), *_apps(), *_near_misses()):
            self.put(item)

    def put(self, *items: Object) -> None:
        """In the place of what is there."""
        for item in items:
            meta = item["metadata"]
            if self.kubernetes.get(item["apiVersion"], item["kind"], meta["name"], meta.get("namespace", "")):
                self.take(item["apiVersion"], item["kind"], meta["name"], meta.get("namespace", ""))
            self.kubernetes.put(item)

    @property
    def take(self) -> Callable[..., None]:
        return self.kubernetes.take

    async def seen(self) -> Seen:
        return await self.inside.run(look(self.inside.cluster))

    async def roots(self) -> list[Root]:
        return roots(await self.seen())


def _platform() -> list[Object]:
    claim = {"storageClassName": "local-path", "resources": {"requests": {"storage": "1Gi"}}}
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage = made("storage.k8s.io/v1", "StorageClass", "local-path", provisioner="rancher.io/local-path",
                   volumeBindingMode="WaitForFirstConsumer")  # fmt: skip
    storage["metadata"]["annotations"] = default
    return [
        node("cp-1"),
        node("worker-1"),
        storage,
        service("kubernetes", "default", "10.96.0.1"),
        service("kube-dns", "kube-system", "10.96.0.10", "coredns"),
        workload("Deployment", "coredns", "kube-system"),
        pod("coredns", "kube-system"),
        workload("DaemonSet", "kube-proxy", "kube-system", replicas=2, available=2, hostNetwork=True),
        made("v1", "PersistentVolumeClaim", "data", "apps", spec=claim, status={"phase": "Bound"}),
    ]


def _flux() -> list[Object]:
    chart = {"spec": {"chart": "grafana", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}
    return [
        ready(SOURCE, "GitRepository", "flux-system", "flux-system", url="https://github.com/someone/home"),
        ready(SOURCE, "HelmRepository", "charts", "flux-system", url="https://charts.example.org", labels=INFRA),
        ready(SOURCE, "HelmChart", "flux-system-grafana", "flux-system", sourceRef={"kind": "HelmRepository", "name": "charts"}),
        kustomization("flux-system"),
        kustomization("infra", wait=True),
        kustomization("stores", "infra", wait=True),
        kustomization("apps", "stores", wait=True),
        kustomization("later", suspend=True, status="False"),
        ready(HELM, "HelmRelease", "grafana", "flux-system", labels=INFRA, chart=chart),
        workload("Deployment", "grafana", "apps", labels=applied_by("HelmRelease", "grafana")),
        pod("grafana", "apps"),
    ]  # fmt: skip


def _secrets() -> list[Object]:
    server = {"vault": {"server": "http://vault.vault.svc:8200", "path": "kv"}}
    reference = {"kind": "ClusterSecretStore", "name": "vault"}
    return [
        workload("StatefulSet", "vault", "vault", labels=INFRA),
        pod("vault", "vault", kind="StatefulSet"),
        service("vault", "vault", "10.96.3.1", "vault", publishNotReadyAddresses=True),
        ready(ESO, "ClusterSecretStore", "vault", labels=applied_by("Kustomization", "stores"), reason="Valid",
              message="store validated", provider=server),
        ready(ESO, "ExternalSecret", "db", "apps", labels=APPS, reason="SecretSynced", message="secret synced",
              secretStoreRef=reference, target={"name": "db"}),
        made("v1", "Secret", "db", "apps", type="Opaque", data={"password": "Y2FuYXJ5LW9mLWEtc2VjcmV0"}),
    ]  # fmt: skip


def _certificates() -> list[Object]:
    reference = {"kind": "ClusterIssuer", "name": "internal"}
    hook = {"name": "webhook.cert-manager.io", "failurePolicy": "Fail",
            "clientConfig": {"service": {"namespace": "cert-manager", "name": "webhook", "path": "/validate"}}}  # fmt: skip
    optional = {**hook, "failurePolicy": "Ignore", "clientConfig": {"service": {"namespace": "gone", "name": "gone"}}}
    certificate = ready(CERTS, "Certificate", "web", "apps", labels=APPS, reason="Ready",
                        message="Certificate is up to date and has not expired", issuerRef=reference, secretName="web-tls")  # fmt: skip
    certificate["status"]["notAfter"] = ago(-60 * 24 * 30)
    controller = workload("Deployment", "cert-manager", "cert-manager", labels=INFRA)
    controller["metadata"]["labels"] |= {
        "app.kubernetes.io/name": "cert-manager",
        "app.kubernetes.io/component": "controller",
    }
    return [
        controller,
        pod("cert-manager", "cert-manager"),
        workload("Deployment", "webhook", "cert-manager", labels=INFRA),
        pod("webhook", "cert-manager"),
        service("webhook", "cert-manager", "10.96.3.2", "webhook"),
        made(ADMISSION, "ValidatingWebhookConfiguration", "cert-manager", webhooks=[hook]),
        made(ADMISSION, "MutatingWebhookConfiguration", "optional", webhooks=[optional]),
        ready(CERTS, "ClusterIssuer", "internal", labels=INFRA),
        certificate,
    ]


def _apps() -> list[Object]:
    return [
        workload("Deployment", "web", "apps", labels=APPS),
        pod("web", "apps", volumes=[{"persistentVolumeClaim": {"claimName": "data"}}]),
        service("web", "apps", "10.96.3.3", "web"),
        workload("StatefulSet", "db", "apps", labels=APPS),
        pod("db", "apps", kind="StatefulSet"),
    ]


def _near_misses() -> list[Object]:
    failed = {
        "conditions": [{"type": "Failed", "status": "True", "message": "Job has reached the specified backoff limit"}]
    }
    complete = {"conditions": [{"type": "Complete", "status": "True"}]}
    unused = {"storageClassName": "local-path"}
    gone = pod("web", "apps", ready=False, machine="cp-1", phase="Failed")
    gone["metadata"]["name"] = "web-evicted"
    gone["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}
    return [
        gone,
        workload("Deployment", "off", "apps", replicas=0, available=0),
        service("off", "apps", "10.96.3.4", "off"),
        made("batch/v1", "Job", "backup-1", "apps", minutes=90, owner=("CronJob", "backup"), status=failed),
        made("batch/v1", "Job", "backup-2", "apps", minutes=30, owner=("CronJob", "backup"), status=complete),
        made("batch/v1", "Job", "migrate", "apps", minutes=600, status={"active": 1}),
        made("v1", "PersistentVolumeClaim", "unused", "apps", spec=unused, status={"phase": "Pending"}),
        made("v1", "Pod", "one-shot", "apps", status={"phase": "Succeeded"}),
    ]
