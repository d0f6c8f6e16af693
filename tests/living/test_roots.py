"""Ten broken clusters: the root is told first, alone, with all that it holds up.

The words are those of kubelet, scheduler and controllers of Kubernetes 1.35, Flux 2.9, External Secrets 1.3, cert-manager 1.21.
"""

import pytest

from living.healthy import ADMISSION, APPS, CERTS, ESO, INFRA, SOURCE, kustomization, progressing, waits
from living.objects import ago, applied_by, condition, event, made, node, pod, ready, service, workload
from rebirth.diagnosis.cause import Outlook, label
from rebirth.diagnosis.roots import Word

SEALED = """\
Readiness probe failed: Key                Value
---                -----
Seal Type          shamir
Initialized        true
Sealed             true
Version            1.20.4"""
NOT_FOUND = (
    'Back-off pulling image "registry.example/web:1": ErrImagePull: failed to pull and unpack image "registry.example/web:1": '
    'failed to resolve reference "registry.example/web:1": registry.example/web:1: not found'
)
CRASHING = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}
HOOK = (
    'Certificate/apps/web dry-run failed (InternalError): Internal error occurred: failed calling webhook "{name}": failed to call '
    'webhook: Post "https://{service}.svc:443/validate?timeout=30s": {why}'
)


def held(root):
    return sorted(map(label, root.held()))


def apps(*names):
    return [f"Kustomization flux-system/{name}" for name in names]


async def the_root(healthy):
    """The only one, which is broken."""
    found = await healthy.roots()
    assert [str(root.cause) for root in found[1:]] == []
    assert found[0].word is Word.BROKEN
    return found[0]


async def test_an_image_that_is_missing(healthy):
    waiting = {"reason": "ImagePullBackOff", "message": NOT_FOUND}
    healthy.put(pod("web", "apps", ready=False, waiting=waiting), progressing("apps", "stores", wait=True))
    healthy.put(workload("Deployment", "web", "apps", labels=APPS, available=0))
    root = await the_root(healthy)
    assert str(root.cause) == f"Deployment apps/web: image registry.example/web:1 cannot be pulled: {NOT_FOUND}"
    assert held(root) == apps("apps")


async def test_cluster_dns_that_does_not_run(healthy):
    last = {"exitCode": 1, "reason": "Error"}
    healthy.put(pod("coredns", "kube-system", ready=False, waiting=CRASHING, last=last, restarts=12))
    healthy.put(workload("Deployment", "coredns", "kube-system", available=0))
    healthy.put(*_sources("10.96.0.10", "read udp 10.244.0.5:40000->10.96.0.10:53: read: connection refused"))
    root = await the_root(healthy)
    assert (
        str(root.cause)
        == "Deployment kube-system/coredns: container coredns: CrashLoopBackOff after exit code 1 (12 restarts)"
    )
    sources = ["GitRepository flux-system/flux-system", "HelmRepository flux-system/charts"]
    assert held(root) == sorted([*sources, "Service kube-system/kube-dns"])


@pytest.mark.parametrize(
    ("address", "why", "words"),
    [
        ("10.96.0.11", "i/o timeout", "has the address 10.96.0.10, but names are asked of 10.96.0.11, and no Service has that"),
        ("10.96.0.10", "server misbehaving", "does not resolve github.com: server misbehaving"),
    ],
)  # fmt: skip
async def test_cluster_dns_that_is_set_up_wrong(healthy, address, why, words):
    healthy.put(*_sources(address, why))
    root = await the_root(healthy)
    assert str(root.cause) == f"Service kube-system/kube-dns: {words}"


async def test_a_name_that_does_not_exist_is_nothing_of_cluster_dns(healthy):
    healthy.put(*_sources("10.96.0.10", "no such host"))
    assert [root.cause.key[0] for root in await healthy.roots()] == ["GitRepository", "HelmRepository"]


def _sources(address, why):
    said = {"charts": "charts.example.org", "flux-system": "github.com"}
    words = {name: f"dial tcp: lookup {host} on {address}:53: {why}" for name, host in said.items()}
    yield ready(SOURCE, "HelmRepository", "charts", "flux-system", "False", "Failed",
                f"failed to fetch Helm repository index: {words['charts']}")  # fmt: skip
    yield ready(SOURCE, "GitRepository", "flux-system", "flux-system", "False", "GitOperationFailed",
                f"failed to checkout and determine revision: unable to clone: {words['flux-system']}")  # fmt: skip


def _unread(healthy, server="http://vault.vault.svc:8200"):
    """What External Secrets says of a Vault that is sealed, and what comes of it."""
    store = ready(ESO, "ClusterSecretStore", "vault", "", "False", "InvalidProviderConfig", "unable to validate store",
                  labels=applied_by("Kustomization", "stores"), provider={"vault": {"server": server}})  # fmt: skip
    reference = {"kind": "ClusterSecretStore", "name": "vault"}
    external = ready(ESO, "ExternalSecret", "db", "apps", "False", "SecretSyncedError", "could not get secret data from provider",
                     labels=APPS, secretStoreRef=reference, target={"name": "db"})  # fmt: skip
    why = f"Error making API request.\n\nURL: GET {server}/v1/auth/token/lookup-self\nCode: 503. Errors:\n\n* Vault is sealed"
    healthy.put(store, event(store, "InvalidProviderConfig", f"invalid vault credentials: {why}"))
    healthy.put(external, event(external, "UpdateFailed", 'ClusterSecretStore "vault" is not ready'))
    healthy.take("v1", "Secret", "db", "apps")
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}
    healthy.put(workload("Deployment", "web", "apps", labels=APPS, available=0))
    healthy.put(pod("web", "apps", ready=False, waiting=waiting), waits("apps", "stores", wait=True))


async def test_a_store_that_is_sealed(healthy):
    sealed = pod("vault", "vault", ready=False, kind="StatefulSet")
    healthy.put(workload("StatefulSet", "vault", "vault", labels=INFRA, available=0), sealed)
    healthy.put(
        event(sealed, "Unhealthy", SEALED), progressing("infra", wait=True), waits("stores", "infra", wait=True)
    )
    _unread(healthy)
    root = await the_root(healthy)
    assert str(root.cause).startswith(
        "StatefulSet vault/vault: is running, but not ready: Readiness probe failed: Key Value"
    )
    assert "Sealed true" in root.cause.message
    waiting = [
        "ClusterSecretStore vault",
        "Deployment apps/web",
        "ExternalSecret apps/db",
        "Secret apps/db",
        "Service vault/vault",
    ]
    assert held(root) == sorted([*waiting, *apps("infra", "stores", "apps")])


async def test_a_store_outside_that_is_sealed(healthy):
    _unread(healthy, "https://vault.example.org")
    healthy.put(progressing("stores", "infra", wait=True))
    root = await the_root(healthy)
    assert root.cause.key == ("ClusterSecretStore", "", "vault")
    assert root.cause.message.startswith("unable to validate store: invalid vault credentials: ")
    assert root.cause.message.endswith("Code: 503. Errors: * Vault is sealed")


async def test_a_webhook_that_is_dead(healthy):
    last = {"exitCode": 2, "reason": "Error"}
    healthy.put(workload("Deployment", "webhook", "cert-manager", available=0))
    healthy.put(pod("webhook", "cert-manager", ready=False, waiting=CRASHING, last=last, restarts=9))
    why = 'no endpoints available for service "webhook"'
    said = HOOK.format(name="webhook.cert-manager.io", service="webhook.cert-manager", why=why)
    healthy.put(kustomization("apps", "stores", status="False", reason="ReconciliationFailed", message=said))
    root = await the_root(healthy)
    assert str(root.cause).startswith("Deployment cert-manager/webhook: container webhook: CrashLoopBackOff")
    assert held(root) == sorted([
        "Service cert-manager/webhook", "ValidatingWebhookConfiguration cert-manager", *apps("apps"),
    ])  # fmt: skip


async def test_a_webhook_that_is_left_over(healthy):
    reference = {"namespace": "gone", "name": "hook"}
    hook = {"name": "hook.example.org", "failurePolicy": "Fail", "clientConfig": {"service": reference}}
    healthy.put(made(ADMISSION, "MutatingWebhookConfiguration", "left-over", webhooks=[hook]))
    root = await the_root(healthy)
    words = "does not exist; MutatingWebhookConfiguration left-over calls it for what is written"
    assert str(root.cause) == f"Service gone/hook: {words}"


async def test_a_machine_that_is_gone(healthy):
    healthy.put(node("worker-1", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", minutes=7))
    for name, namespace, kind in (("web", "apps", "Deployment"), ("coredns", "kube-system", "Deployment"),
                                  ("webhook", "cert-manager", "Deployment"), ("db", "apps", "StatefulSet")):  # fmt: skip
        labels = APPS if namespace == "apps" else None
        healthy.put(workload(kind, name, namespace, labels=labels, available=0))
        healthy.put(pod(name, namespace, ready=False, minutes=7, kind="StatefulSet" if name == "db" else "ReplicaSet"))
    healthy.put(progressing("apps", "stores", wait=True))
    root = await the_root(healthy)
    assert str(root.cause) == "Node worker-1: is not Ready: Kubelet stopped posting node status."
    assert root.seconds == pytest.approx(420, abs=5)
    workloads = ["apps/web", "kube-system/coredns", "cert-manager/webhook"]
    assert {f"Deployment {name}" for name in workloads} | {"StatefulSet apps/db", *apps("apps")} <= set(held(root))


async def test_a_quota_that_is_used_up(healthy):
    healthy.put(made("v1", "ResourceQuota", "compute", "apps", spec={"hard": {"requests.memory": "2Gi"}}))
    words = "requested: requests.memory=1Gi, used: requests.memory=2Gi, limited: requests.memory=2Gi"
    refused = f'pods "web-6d5f7c8b9-x2x7z" is forbidden: exceeded quota: compute, {words}'
    failure = condition("ReplicaFailure", "True", "FailedCreate", refused)
    healthy.put(workload("Deployment", "web", "apps", labels=APPS, available=0, conditions=(failure,)))
    store = workload("StatefulSet", "db", "apps", labels=APPS, available=0)
    healthy.put(store, progressing("apps", "stores", wait=True))
    said = f'create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: exceeded quota: compute, {words}'
    healthy.put(event(store, "FailedCreate", said))
    for name in ("web-0", "web-evicted", "db-0"):
        healthy.take("v1", "Pod", name, "apps")
    root = await the_root(healthy)
    assert str(root.cause) == f"ResourceQuota apps/compute: does not allow it: {words}"
    assert held(root) == ["Deployment apps/web", *apps("apps"), "StatefulSet apps/db"]


async def test_a_certificate_that_has_expired(healthy):
    issued = (
        "The certificate request has failed to complete and will be retried: Failed to wait for order resource: expired"
    )
    issuing = condition("Issuing", "False", "Failed", issued)
    expired = ready(CERTS, "Certificate", "hook", "apps", "False", "Expired", "Certificate expired on Thu, 26 Nov 2026 08:00:00 UTC",
                    more=(issuing,), secretName="hook-tls", issuerRef={"kind": "ClusterIssuer", "name": "internal"})  # fmt: skip
    mount = [{"name": "tls", "secret": {"secretName": "hook-tls"}}]
    healthy.put(expired, service("hook", "apps", "10.96.3.9", "hook"), workload("Deployment", "hook", "apps"))
    healthy.put(pod("hook", "apps", volumes=mount), made("v1", "Secret", "hook-tls", "apps"))
    why = (
        "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-27T08:00:00Z "
        "is after 2026-11-26T08:00:00Z"
    )
    said = HOOK.format(name="hook.example.org", service="hook.apps", why=why)
    healthy.put(kustomization("apps", "stores", status="False", reason="ReconciliationFailed", message=said))
    root = await the_root(healthy)
    words = f"Certificate expired on Thu, 26 Nov 2026 08:00:00 UTC; {issued}"
    assert str(root.cause) == f"Certificate apps/hook: {words}"
    assert held(root) == apps("apps")


async def test_a_certificate_that_nobody_renews(healthy):
    """cert-manager is down: its own word of the certificate is of the time before."""
    healthy.put(workload("Deployment", "cert-manager", "cert-manager", available=0, labels=_controller()))
    waiting = {"reason": "ErrImagePull", "message": NOT_FOUND}
    healthy.put(pod("cert-manager", "cert-manager", ready=False, waiting=waiting))
    certificate = ready(CERTS, "Certificate", "web", "apps", secretName="web-tls")
    certificate["status"]["notAfter"] = ago(10)
    healthy.put(certificate)
    root = await the_root(healthy)
    assert (root.cause.key, held(root)) == (
        ("Deployment", "cert-manager", "cert-manager"),
        ["Certificate apps/web"],
    )


def _controller():
    return {"app.kubernetes.io/name": "cert-manager", "app.kubernetes.io/component": "controller"}


async def test_a_claim_for_which_there_is_no_storage_class(healthy):
    claim = made(
        "v1",
        "PersistentVolumeClaim",
        "data",
        "apps",
        spec={"storageClassName": "longhorn"},
        status={"phase": "Pending"},
    )
    healthy.put(claim, event(claim, "ProvisioningFailed", 'storageclass.storage.k8s.io "longhorn" not found'))
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    unbound = "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    healthy.put(workload("Deployment", "web", "apps", labels=APPS, available=0))
    healthy.put(
        pod("web", "apps", ready=False, scheduled=unbound, volumes=volumes), progressing("apps", "stores", wait=True)
    )
    root = await the_root(healthy)
    assert str(root.cause) == "StorageClass longhorn: does not exist; claims ask for it"
    assert held(root) == ["Deployment apps/web", *apps("apps"), "PersistentVolumeClaim apps/data"]


async def test_a_claim_whose_provisioner_does_not_work(healthy):
    healthy.put(made("storage.k8s.io/v1", "StorageClass", "nfs", provisioner="nfs.example.org"))
    claim = made(
        "v1", "PersistentVolumeClaim", "data", "apps", spec={"storageClassName": "nfs"}, status={"phase": "Pending"}
    )
    said = "Waiting for a volume to be created either by the external provisioner 'nfs.example.org' or manually by the system administrator."
    healthy.put(claim, event(claim, "ExternalProvisioning", said, type_="Normal"))
    root = await the_root(healthy)
    assert str(root.cause) == f"PersistentVolumeClaim apps/data: no volume yet (storage class: nfs): {said}"


async def test_dependencies_in_a_cycle(healthy):
    healthy.put(
        waits("infra", "apps", wait=True), waits("stores", "infra", wait=True), waits("apps", "stores", wait=True)
    )
    root = await the_root(healthy)
    way = " → ".join(apps("apps", "stores", "infra", "apps"))
    assert str(root.cause) == f"Kustomization flux-system/apps: waits for itself: {way}"
    assert root.cause.outlook is Outlook.FINAL
    assert held(root) == apps("infra", "stores")


async def test_a_secret_that_nobody_makes(healthy):
    healthy.take(ESO, "ExternalSecret", "db", "apps")
    healthy.take("v1", "Secret", "db", "apps")
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}
    healthy.put(workload("Deployment", "web", "apps", labels=APPS, available=0))
    healthy.put(pod("web", "apps", ready=False, waiting=waiting), progressing("apps", "stores", wait=True))
    root = await the_root(healthy)
    assert root.cause.key == ("Secret", "apps", "db")
    assert root.cause.message.startswith("does not exist; ")
    assert held(root) == ["Deployment apps/web", *apps("apps")]
