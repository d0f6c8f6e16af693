"""Operators and provisioners on paper, against a real API server and the real controllers."""

import base64

import pytest
from cryptography import x509

from paper_objects import available, crd, custom, reads, secret, service, workload

pytestmark = pytest.mark.asyncio(loop_scope="session")


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


async def test_an_external_secret_that_the_api_server_refuses_says_so(desk):
    space, group = await desk.namespace("refused"), "external-secrets.io"
    await desk.apply(
        crd(group, "ClusterSecretStore", "clustersecretstores", "Cluster"),
        crd(group, "ExternalSecret", "externalsecrets"),
        workload("Deployment", "external-secrets", space, image="ghcr.io/external-secrets/external-secrets:v1"),
        custom(group, "ClusterSecretStore", "fake", provider={"fake": {}}),
        custom(
            group, "ExternalSecret", "tls", space, secretStoreRef={"kind": "ClusterSecretStore", "name": "fake"},
            target={"template": {"type": "kubernetes.io/tls"}}, data=[{"secretKey": "crt", "remoteRef": {"key": "x"}}],
        ),
    )  # fmt: skip

    async def said():
        return "data[tls.crt]" in (await desk.condition(f"{group}/v1", "ExternalSecret", "tls", space)).get(
            "message", ""
        )

    await desk.until(said)


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


async def test_a_load_balancer_gets_an_address_of_a_pool_whose_operator_runs(desk):
    space, group = await desk.namespace("addresses"), "metallb.io"
    balanced = service("web", space)
    balanced["spec"]["type"] = "LoadBalancer"
    await desk.apply(
        crd(group, "IPAddressPool", "ipaddresspools"),
        custom(group, "IPAddressPool", "pool", space, addresses=["192.0.2.10-192.0.2.20"]),
        balanced,
    )
    assert not (await desk.find("Service", "web", space))["status"]["loadBalancer"]
    await desk.apply(workload("Deployment", "metallb", space, image="quay.io/metallb/controller:v0.15.2"))

    async def address():
        return (await desk.find("Service", "web", space))["status"]["loadBalancer"].get("ingress")

    pool = {f"192.0.2.{number}" for number in range(10, 21)}  # another test's Service may have had the first
    assert (await desk.until(address))[0]["ip"] in pool


async def test_reflector_copies_a_secret_where_a_pod_waits_for_it(desk):
    space, other, prefix = (
        await desk.namespace("copied"),
        await desk.namespace("copies"),
        "reflector.v1.k8s.emberstack.com",
    )
    notes = {
        f"{prefix}/reflection-{one}": value
        for one, value in (("allowed", "true"), ("auto-enabled", "true"), ("auto-namespaces", other))
    }
    origin = secret("wildcard", space, key="value")
    origin["metadata"]["annotations"] = notes
    await desk.apply(origin, workload("Deployment", "web", other, reads("Secret", "wildcard", "key")))
    await desk.apply(workload("Deployment", "reflector", space, image="docker.io/emberstack/kubernetes-reflector:9"))
    await available(desk, "web", other)
    assert (await desk.find("Secret", "wildcard", other))["data"] == origin["data"]


async def test_a_job_makes_the_certificate_that_a_webhooks_pods_mount(desk):
    space = await desk.namespace("certgen")
    arguments = ["create", "--host=hook", "--namespace=$(POD_NAMESPACE)", "--secret-name=hook-admission"]
    image = "registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.0@sha256:" + "a" * 64
    pod = {"restartPolicy": "OnFailure", "containers": [{"name": "create", "image": image, "args": arguments}]}
    volumes = {"volumes": [{"name": "cert", "secret": {"secretName": "hook-admission"}}]}
    await desk.apply(
        workload("Deployment", "hook", space, volumes),
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "create", "namespace": space},
            "spec": {"template": {"spec": pod}},
        },
    )
    await available(desk, "hook", space)


async def test_kinds_that_nobody_plays_are_told_where_there_are_any(desk):
    space, group = await desk.namespace("unplayed"), "unknown.example.com"
    await desk.apply(crd(group, "Known", "knowns"), crd(group, "Idle", "idles"), custom(group, "Known", "one", space))

    async def told():
        return await desk.paper.unplayed()

    await desk.until(lambda: has(told(), (group, "Known")))
    assert (group, "Idle") not in await desk.paper.unplayed()


async def has(found, wanted):
    return wanted in await found
