"""What stands in for machines, against a real API server and the real controllers."""

import base64
from contextlib import suppress

import pytest
from cryptography import x509

from rebirth.errors import NotYet

pytestmark = pytest.mark.asyncio(loop_scope="module")


def workload(kind, name, namespace, spec=None, image="example.com/app:1", **more):
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": image}], **(spec or {})},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **more},
    }


def reads(kind, name, key):
    field = "secretKeyRef" if kind == "Secret" else "configMapKeyRef"
    env = [{"name": "IT", "valueFrom": {field: {"name": name, "key": key}}}]
    return {"containers": [{"name": "app", "image": "example.com/app:1", "env": env}]}


def secret(name, namespace, **values):
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}


def crd(group, kind, plural, scope="Namespaced", **more):
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural},
            "versions": [version],
            **more,
        },
    }


def custom(group, kind, name, namespace=None, **spec):
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": name, **place}, "spec": spec}


async def available(desk, name, namespace, count=1):
    async def look():
        found = await desk.cluster.find("apps/v1", "Deployment", name, namespace)
        return ((found or {}).get("status") or {}).get("availableReplicas") == count

    await desk.until(look)


async def waiting(desk, namespace):
    """Reason and message of the containers that wait."""

    async def look():
        statuses = [s for pod in await desk.pods(namespace) for s in pod["status"].get("containerStatuses") or []]
        return [
            (s["state"]["waiting"]["reason"], s["state"]["waiting"].get("message"))
            for s in statuses
            if "waiting" in s["state"]
        ]

    return await desk.until(look)


async def test_a_deployment_becomes_available(desk):
    space = await desk.namespace("deployment")
    await desk.apply(workload("Deployment", "web", space, replicas=3))
    await available(desk, "web", space, 3)
    assert {(w.kind, w.name, w.images) for w in desk.paper.workloads() if w.namespace == space} == {
        ("Deployment", "web", ("example.com/app:1",))
    }


async def test_a_missing_secret_holds_a_pod_in_the_words_of_the_kubelet(desk):
    space = await desk.namespace("held")
    await desk.apply(workload("Deployment", "web", space, reads("Secret", "token", "value")))
    assert await waiting(desk, space) == [("CreateContainerConfigError", 'secret "token" not found')]
    await desk.apply(secret("token", space, other="1"))
    words = ("CreateContainerConfigError", f"couldn't find key value in Secret {space}/token")
    await desk.until(lambda: same(waiting(desk, space), [words]))
    await desk.apply(secret("token", space, other="1", value="2"))
    await available(desk, "web", space)


async def same(found, wanted):
    return await found == wanted


async def test_a_volume_holds_a_pod_until_its_config_map_is_there(desk):
    space = await desk.namespace("mounted")
    volumes = {"volumes": [{"name": "settings", "configMap": {"name": "settings"}}]}
    await desk.apply(workload("Deployment", "web", space, volumes))
    words = 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
    assert await waiting(desk, space) == [("ContainerCreating", words)]
    await desk.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": space}})
    await available(desk, "web", space)


async def test_a_job_completes(desk):
    space = await desk.namespace("job")
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "example.com/app:1"}]}
    await desk.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once", "namespace": space},
            "spec": {"template": {"spec": pod}},
        }
    )
    await desk.until(lambda: desk.condition("batch/v1", "Job", "once", space, "Complete"))


async def test_a_stateful_set_gets_its_volumes_from_a_class_that_waits_for_its_consumer(desk):
    space = await desk.namespace("stateful")
    await desk.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "local"},
            "provisioner": "example.com/local",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
    )
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "local",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    await desk.apply(
        workload("StatefulSet", "db", space, serviceName="db", replicas=2, volumeClaimTemplates=[claim]),
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "idle", "namespace": space}, "spec": claim["spec"]},
    )  # fmt: skip

    async def ready():
        found = await desk.cluster.find("apps/v1", "StatefulSet", "db", space)
        return found["status"].get("readyReplicas") == 2

    await desk.until(ready)
    claims = {
        one["metadata"]["name"]: one["status"]["phase"]
        for one in await desk.cluster.all("v1", "PersistentVolumeClaim", space)
    }
    assert claims == {"data-db-0": "Bound", "data-db-1": "Bound", "idle": "Pending"}


async def test_a_claim_without_a_class_waits_and_so_does_its_pod(desk):
    space = await desk.namespace("classless")
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "nowhere",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    await desk.apply(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": space}, "spec": spec},
        workload("Deployment", "web", space, {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
    )  # fmt: skip

    async def said():
        conditions = [c for pod in await desk.pods(space) for c in pod["status"].get("conditions") or []]
        return [c["message"] for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False"]

    assert await desk.until(said) == ["0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."]


async def test_a_deleted_namespace_is_gone(desk):
    space = await desk.namespace("gone")
    await desk.apply(workload("Deployment", "web", space, replicas=2))
    await available(desk, "web", space, 2)
    await desk.cluster.delete("v1", "Namespace", space, None)

    async def gone():
        return await desk.cluster.find("v1", "Namespace", space) is None

    await desk.until(gone)


def webhook(space, name="check"):
    config = {"service": {"name": "hook", "namespace": space, "path": "/validate"}}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    selector = {"matchLabels": {"kubernetes.io/metadata.name": space}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"{name}-{space}"},
        "webhooks": [
            {
                "name": f"{name}.example.com", "clientConfig": config, "rules": [rule], "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "namespaceSelector": selector, "failurePolicy": "Fail",
            }
        ],
    }  # fmt: skip


def service(name, space, port=443):
    spec = {"selector": {"app": name}, "ports": [{"port": port, "targetPort": 8443}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": space}, "spec": spec}


async def refused(desk, item):
    """The API server's words; "" where it takes the object."""
    try:
        await desk.cluster.apply(item)
    except NotYet as error:
        return str(error)
    return ""


async def test_a_webhook_admits_once_its_pods_are_ready_and_not_before(desk):
    space = await desk.namespace("webhook")
    await desk.apply(service("hook", space), webhook(space))
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": space}}
    words = await desk.until(lambda: refused(desk, item))
    assert "connect: connection refused" in words
    assert "check.example.com" in words
    await desk.apply(workload("Deployment", "hook", space))
    await desk.apply(item)
    assert await desk.cluster.find("v1", "ConfigMap", "x", space)


async def test_a_custom_resource_is_converted(desk):
    space = await desk.namespace("conversion")
    await desk.apply(service("hook", space), workload("Deployment", "hook", space))
    await available(desk, "hook", space)
    config = {"service": {"name": "hook", "namespace": space, "path": "/convert"}}
    item = crd(
        "things.example.com", "Thing", "things",
        conversion={"strategy": "Webhook", "webhook": {"clientConfig": config, "conversionReviewVersions": ["v1"]}},
    )  # fmt: skip
    older = {**item["spec"]["versions"][0], "name": "v1beta1", "storage": False}
    item["spec"]["versions"].append(older)
    await desk.apply(item, {**custom("things.example.com", "Thing", "one", space, size=3)})
    found = await desk.until(lambda: converted(desk, space))
    assert found["spec"] == {"size": 3}


async def converted(desk, space):
    with suppress(NotYet):
        return await desk.cluster.find("things.example.com/v1beta1", "Thing", "one", space)


async def test_an_aggregated_api_is_available(desk):
    space = await desk.namespace("aggregated")
    await desk.apply(service("hook", space), workload("Deployment", "hook", space))
    await desk.apply(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                "service": {"name": "hook", "namespace": space},
            },
        }
    )  # fmt: skip

    async def served():
        said = await desk.condition(
            "apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io", None, "Available"
        )
        return said.get("status") == "True"

    await desk.until(served)


async def test_an_external_secret_becomes_a_secret_once_operator_and_store_are_ready(desk):
    space, group = await desk.namespace("external"), "external-secrets.io"
    await desk.apply(
        crd(group, "ClusterSecretStore", "clustersecretstores", "Cluster"),
        crd(group, "ExternalSecret", "externalsecrets"),
        custom(group, "ClusterSecretStore", "vault", provider={"vault": {"auth": {"tokenSecretRef": {"name": "token", "namespace": space, "key": "token"}}}}),
        custom(
            group, "ExternalSecret", "login", space, secretStoreRef={"kind": "ClusterSecretStore", "name": "vault"},
            target={"name": "login"}, data=[{"secretKey": "password", "remoteRef": {"key": "x"}}],
        ),
    )  # fmt: skip
    assert await desk.condition(f"{group}/v1", "ExternalSecret", "login", space) == {}
    await desk.apply(
        workload("Deployment", "external-secrets", space, image="ghcr.io/external-secrets/external-secrets:v1")
    )
    said = await desk.until(lambda: desk.condition(f"{group}/v1", "ExternalSecret", "login", space))
    assert (said["status"], said["reason"]) == ("False", "SecretSyncedError")
    store = await desk.until(lambda: desk.condition(f"{group}/v1", "ClusterSecretStore", "vault", None))
    assert f"Secret {space}/token does not exist" in store["message"]
    await desk.apply(secret("token", space, token="s"))
    found = await desk.find("Secret", "login", space)
    assert set(found["data"]) == {"password"}

    async def synced():
        return (await desk.condition(f"{group}/v1", "ExternalSecret", "login", space)).get("status") == "True"

    await desk.until(synced)


async def test_a_database_cluster_gets_the_secret_that_its_application_reads(desk):
    space, group = await desk.namespace("database"), "postgresql.cnpg.io"
    await desk.apply(
        crd(group, "Cluster", "clusters"),
        workload("Deployment", "cnpg", space, image="ghcr.io/cloudnative-pg/cloudnative-pg:1.28.0"),
        custom(group, "Cluster", "blog", space, instances=1),
        workload("Deployment", "web", space, reads("Secret", "blog-app", "uri")),
    )
    await available(desk, "web", space)
    found = await desk.find("Secret", "blog-app", space)
    assert found["metadata"]["ownerReferences"][0]["name"] == "blog"
    assert (await desk.find("Service", "blog-rw", space))["spec"]["ports"][0]["port"] == 5432
    said = await desk.until(lambda: desk.condition(f"{group}/v1", "Cluster", "blog", space))
    assert (said["status"], said["reason"]) == ("True", "ClusterIsReady")


async def test_a_certificate_becomes_a_secret_that_the_rehearsals_authority_signed(desk):
    space, group = await desk.namespace("certificates"), "cert-manager.io"
    rule = {"host": "blog.example.com"}
    await desk.apply(
        crd(group, "ClusterIssuer", "clusterissuers", "Cluster"),
        crd(group, "Certificate", "certificates"),
        workload("Deployment", "cert-manager", space, image="quay.io/jetstack/cert-manager-controller:v1"),
        custom(group, "Certificate", "web", space, secretName="web-tls", dnsNames=["web.example.com"], issuerRef={"kind": "ClusterIssuer", "name": "own"}),
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "blog", "namespace": space, "annotations": {f"{group}/cluster-issuer": "own"}},
            "spec": {"rules": [rule], "tls": [{"hosts": ["blog.example.com"], "secretName": "blog-tls"}], "defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}},
        },
    )  # fmt: skip
    said = await desk.until(lambda: desk.condition(f"{group}/v1", "Certificate", "web", space))
    assert (said["status"], said["reason"]) == ("False", "DoesNotExist")
    assert "ClusterIssuer own does not exist" in said["message"]
    await desk.apply(custom(group, "ClusterIssuer", "own", selfSigned={}))
    for name, host in (("web-tls", "web.example.com"), ("blog-tls", "blog.example.com")):
        found = await desk.find("Secret", name, space)
        signed = x509.load_pem_x509_certificate(base64.b64decode(found["data"]["tls.crt"]))
        names = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [host]
