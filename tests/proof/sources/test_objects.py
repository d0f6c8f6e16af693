"""Kubernetes objects and Secrets: what the graph says of small trees."""

import pytest

from flux_trees import config_map, node
from rebirth.proof.prove import assemble
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, thing
from rebirth.proof.sources.outside import secrets
from rebirth.proof.sources.workloads import capacity
from rebirth.proof.sources.workloads.config import secret
from rebirth.proof.things import Milestone, Need

EXTERNAL = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: web, namespace: web}\nspec:\n"
STORE = (
    "apiVersion: external-secrets.io/v1\nkind: ClusterSecretStore\nmetadata: {name: vault}\nspec:\n  provider:\n    vault:\n"
    "      server: https://vault.example.org:8200\n      path: kv\n"
    "      auth: {tokenSecretRef: {name: token, namespace: eso, key: token}}\n"
)
WEB = "apiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n---\n"


@pytest.fixture
def graph(tree, read):
    def made(*documents):
        root = tree({"clusters/x/web.yaml": node("web", "./web"), "web/all.yaml": WEB + "---\n".join(documents)})
        (found,) = read(root, "clusters/x")
        return assemble(found.model)

    return made


def deployment(spec):
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: web}\nspec:\n"
        f"  template:\n    metadata: {{labels: {{app: web}}}}\n    spec: {spec}\n"
    )


def needs(graph, kind, name, milestone=Milestone.READY, namespace="web"):
    return {str(edge.needs) for edge in graph.edges[thing(kind, namespace, name, milestone)]}


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("{containers: [{name: a, envFrom: [{secretRef: {name: s}}]}]}", {"Secret web/s is materialised"}),
        ("{initContainers: [{name: a, envFrom: [{configMapRef: {name: c}}]}]}", {"ConfigMap web/c is materialised"}),
        ("{volumes: [{name: v, projected: {sources: [{secret: {name: s}}]}}]}", {"Secret web/s is materialised"}),
        ("{volumes: [{name: v, secret: {secretName: s, optional: true}}]}", set()),
        ("{imagePullSecrets: [{name: s}]}", set()),
        ("{volumes: [{name: v, persistentVolumeClaim: {claimName: p}}]}", {"PersistentVolumeClaim web/p is Ready"}),
        ("{serviceAccountName: me}", {"ServiceAccount web/me exists"}),
    ],
)
def test_what_pods_need(graph, spec, wanted):
    found = needs(graph(deployment(spec)), "Deployment", "web")
    assert found - {"Deployment web/web exists", "ServiceAccount web/default exists"} == wanted


def test_pods_that_are_not_to_run_need_nothing(graph):
    text = deployment("{containers: [{name: a, envFrom: [{secretRef: {name: s}}]}]}").replace(
        "spec:\n", "spec:\n  replicas: 0\n", 1
    )
    assert "Secret web/s is materialised" not in needs(graph(text), "Deployment", "web")


def test_the_default_account_comes_with_its_namespace(graph):
    (maker,) = graph(deployment("{}")).makers(thing("ServiceAccount", "web", "default"))
    assert maker.needs == thing("Namespace", "", "web")


@pytest.mark.parametrize(
    ("spec", "keys"),
    [
        ({"data": [{"secretKey": "a", "remoteRef": {}}]}, {"a"}),
        ({"dataFrom": [{"extract": {"key": "x"}}]}, None),
        ({"dataFrom": [{"extract": {}}], "target": {"template": {"data": {"b": "{{ .x }}"}}}}, {"b"}),
        (
            {"data": [{"secretKey": "a"}], "target": {"template": {"mergePolicy": "Merge", "data": {"b": ""}}}},
            {"a", "b"},
        ),
        ({"data": [{"secretKey": "a"}], "target": {"template": {"type": "kubernetes.io/tls"}}}, {"a"}),
        ({"data": [{"secretKey": "a"}], "target": {"template": {"templateFrom": [{"literal": "x"}]}}}, None),
        ({"data": "nonsense"}, set()),
    ],
)
def test_keys_of_an_external_secret(spec, keys):
    assert secrets.keys(spec) == keys


@pytest.mark.parametrize("key", ["apps/web", "kv/apps/web", "kv/data/apps/web"])
def test_an_external_secret_hangs_on_its_store_and_its_path(graph, key):
    made = graph(
        STORE,
        EXTERNAL
        + f"  secretStoreRef: {{kind: ClusterSecretStore, name: vault}}\n  data: [{{secretKey: a, remoteRef: {{key: {key}, property: p}}}}]\n",
    )
    found = needs(made, "ExternalSecret", "web")
    assert {"ClusterSecretStore vault is Ready", "vault path kv/apps/web is materialised"} <= found
    assert {"Secret eso/token is materialised", "name vault.example.org resolves"} <= needs(
        made, "ClusterSecretStore", "vault", namespace=""
    )
    assert made.path(secret("web", "web"), secret("eso", "token"))


def test_a_claim_that_waits_for_its_first_consumer_needs_one(graph):
    storage = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: local}\nprovisioner: example.org/local\nvolumeBindingMode: WaitForFirstConsumer\n"
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: p, namespace: web}\nspec: {storageClassName: local}\n"
    made = graph(storage, claim, deployment("{volumes: [{name: v, persistentVolumeClaim: {claimName: p}}]}"))
    path = made.path(thing("PersistentVolumeClaim", "web", "p", Milestone.READY), thing("Deployment", "web", "web"))
    assert path
    assert path[0].need is Need.VOLUME
    assert not made.cycles()


def test_a_service_serves_with_the_pods_that_it_selects(graph):
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: web}\nspec: {selector: {app: web}}\n"
    assert "Deployment web/web is Ready" in needs(graph(deployment("{}"), service), "Service", "web", Milestone.SERVES)


def test_values_are_never_told(graph):
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: web}\nstringData: {a: '', token: canary-value}\n"
    )
    made = graph(text, config_map("c", "web"))
    assert "canary-value" not in repr((made.remarks, made.holdings, made.readings, made.unknowns))


@pytest.mark.parametrize(
    ("text", "number"),
    [("250m", 0.25), ("2", 2.0), ("1Gi", 2.0**30), ("1.5G", 1.5e9), ("", 0.0), ("much", 0.0), (None, 0.0)],
)
def test_quantities(text, number):
    assert capacity.quantity(text) == number


@pytest.mark.parametrize(
    "spec", [None, "x", [], {"template": None}, {"template": {"spec": {"containers": "x", "volumes": {}}}}]
)
def test_objects_of_any_shape_are_read(spec):
    manifest = Manifest(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec}, "f", 1
    )
    found = pods.of(manifest, None)
    assert found is not None
    assert list(found.references()) == []


def test_a_secret_that_a_job_generates_is_made(graph):
    job = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: certgen, namespace: web}\nspec:\n  template:\n    spec:\n"
        "      restartPolicy: Never\n      containers:\n"
        "        - {name: a, image: registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1, args: [create, --secret-name=s]}\n"
    )
    mounts = deployment("{volumes: [{name: v, secret: {secretName: s}}]}")
    found = graph(job, mounts)
    assert {edge.needs for edge in found.makers(secret("web", "s"))} == {
        thing("Job", "web", "certgen", Milestone.READY)
    }
