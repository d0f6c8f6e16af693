"""A Flux repository: where it is, what it has, and what it needs of the castle."""

import pytest

from init.grounds import said
from rebirth.init.readers.flux import read as flux
from rebirth.init.readers.flux_needs import read as flux_needs
from rebirth.init.readers.flux_online import read as flux_online
from rebirth.init.readers.flux_secrets import read as flux_secrets


def test_flux_bootstrap(ground):
    ground.write(
        "clusters/home/flux-system/gotk-sync.yaml",
        """
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: GitRepository
        metadata: {name: flux-system, namespace: flux-system}
        spec:
          ref: {branch: main}
          secretRef: {name: git-login}
          url: https://git.example/home.git
        ---
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: flux-system, namespace: flux-system}
        spec: {path: ./clusters/home}
        """,
    )
    sync = "clusters/home/flux-system/gotk-sync.yaml"
    assert said(ground.read(flux)) == {
        "gitops.repository": ("https://git.example/home.git", f"{sync}:7"),
        "gitops.branch": ("main", f"{sync}:5"),
        "gitops.auth_secret": ("git-login", f"{sync}:6"),
        "gitops.token": ({"secret": "git-token"}, f"assumed: {sync}:6 logs in with it"),
        "gitops.path": ("clusters/home", f"{sync}:12"),
    }


def test_flux_of_several_clusters_is_asked_for(ground):
    for name in ("home", "away"):
        ground.write(
            f"clusters/{name}/flux-system/gotk-sync.yaml",
            f"""
            apiVersion: kustomize.toolkit.fluxcd.io/v1
            kind: Kustomization
            metadata: {{name: flux-system, namespace: flux-system}}
            spec: {{path: ./clusters/{name}}}
            """,
        )
    found = ground.read(flux)
    assert found.get("gitops.path") is None
    assert "clusters/away (clusters/away/flux-system/gotk-sync.yaml:4)" in found.wanted["gitops", "path"]


def test_a_flux_instance(ground):
    ground.write(
        "flux.yaml",
        """
        apiVersion: fluxcd.controlplane.io/v1
        kind: FluxInstance
        metadata: {name: flux, namespace: flux-system}
        spec:
          sync: {kind: GitRepository, url: "https://git.example/home.git", ref: refs/heads/main, path: kubernetes/flux}
        """,
    )
    found = said(ground.read(flux))
    assert {path: value for path, (value, _) in found.items()} == {
        "gitops.repository": "https://git.example/home.git",
        "gitops.branch": "main",
        "gitops.path": "kubernetes/flux",
    }


def test_a_store_and_an_ingress_controller(ground):
    ground.write(
        "store.yaml",
        """
        apiVersion: external-secrets.io/v1
        kind: ClusterSecretStore
        metadata: {name: outside}
        spec:
          provider:
            vault:
              server: https://vault.example:8200
              path: kv
              auth: {tokenSecretRef: {namespace: secrets, name: vault, key: token}}
        ---
        apiVersion: helm.toolkit.fluxcd.io/v2
        kind: HelmRelease
        metadata: {name: web, namespace: ingress}
        spec: {chart: {spec: {chart: ingress-nginx}}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: blog, namespace: blog}
        spec: {rules: [{host: blog.example.org}]}
        """,
    )
    found = {path: value for path, (value, _) in said(ground.read(flux_online)).items()}
    assert found == {
        "engine.store.name": "outside",
        "engine.vault.address": "https://vault.example:8200",
        "engine.vault.mount": "kv",
        "engine.store.token_secret.namespace": "secrets",
        "engine.store.token_secret.name": "vault",
        "engine.store.token_secret.key": "token",
        "online.ingress.namespace": "ingress",
        "online.ingress.service": "web-ingress-nginx-controller",
        "online.sites": [{"host": "blog.example.org"}],
    }


HOST = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: blog, namespace: blog}
spec: {hostnames: [blog.example.org]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {rules: [{host: shop.example.org}]}
"""
GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: NAME, namespace: network}
"""


def test_a_gateway(ground):
    ground.write("hosts.yaml", HOST)
    ground.write("gateway.yaml", GATEWAY.replace("NAME", "outside"))
    assert said(ground.read(flux_online)) == {
        "online.gateway.namespace": ("network", "gateway.yaml:3"),
        "online.gateway.name": ("outside", "gateway.yaml:3"),
        "online.sites": ([{"host": "shop.example.org"}, {"host": "blog.example.org"}], "hosts.yaml:9"),
    }


@pytest.mark.parametrize("names", [(), ("inside", "outside")])
def test_sites_without_an_entrance_are_left_out(ground, names):
    ground.write("hosts.yaml", HOST)
    for name in names:
        ground.write(f"{name}.yaml", GATEWAY.replace("NAME", name))
    assert said(ground.read(flux_online)) == {}


CILIUM = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: cilium, namespace: kube-system}
spec:
  chart: {spec: {chart: cilium, version: 1.18.2}}
  values: {kubeProxyReplacement: true}
"""


def test_cilium_is_begun_by_the_castle(ground):
    ground.write("cilium.yaml", CILIUM)
    found = ground.read(flux_needs)
    assert said(found) == {
        "kubernetes.cni": ("cilium", "cilium.yaml:3 is begun by the castle, and Flux goes on with it"),
        "networking.cilium.namespace": ("kube-system", "cilium.yaml:3"),
        "networking.cilium.version": ("1.18.2", "cilium.yaml:5"),
        "networking.cilium.values": ({"kubeProxyReplacement": True}, "cilium.yaml:6"),
    }
    assert found.remarks == []


@pytest.mark.parametrize(
    ("now", "then", "path", "value"),
    [
        ("version: 1.18.2", "version: 1.18.x", "networking.cilium.version", None),
        ("kubeProxyReplacement: true", "l7Proxy: false", "kubernetes.kube_proxy", True),
        ("name: cilium,", "name: net,", "kubernetes.cni", "none"),
        ("spec:\n", "spec:\n  targetNamespace: network\n", "kubernetes.cni", "none"),
        ("spec:\n", "spec:\n  targetNamespace: network\n  releaseName: cilium\n", "networking.cilium.namespace", "network"),
    ],
)  # fmt: skip
def test_cilium_that_is_not_plain(ground, now, then, path, value):
    ground.write("cilium.yaml", CILIUM.replace(now, then, 1))
    assert ground.read(flux_needs).get(path) == value


def test_cilium_of_an_artifact_with_values_from_elsewhere(ground):
    ground.write(
        "cilium.yaml",
        """
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: OCIRepository
        metadata: {name: cilium, namespace: kube-system}
        spec: {url: "oci://quay.example/charts/cilium", ref: {tag: 1.18.3}}
        ---
        apiVersion: helm.toolkit.fluxcd.io/v2
        kind: HelmRelease
        metadata: {name: cilium, namespace: kube-system}
        spec:
          chartRef: {kind: OCIRepository, name: cilium}
          valuesFrom: [{kind: ConfigMap, name: cilium-values}]
        """,
    )
    found = ground.read(flux_needs)
    assert found.get("networking.cilium.version") == "1.18.3"
    assert found.get("kubernetes.kube_proxy") is None
    assert found.remarks == ["cilium.yaml:11: values of Cilium from elsewhere"]


NEEDS = """
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: a, namespace: x}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: outside}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: x}
spec: {storageClassName: local-path}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: x}
spec: {type: LoadBalancer}
"""
BRINGS = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: CHART, namespace: x}
spec: {chart: {spec: {chart: CHART}}}
"""


def test_what_nothing_brings_is_needed_of_the_castle(ground):
    ground.write("all.yaml", NEEDS)
    found = ground.read(flux_needs)
    assert set(found.needed) == {
        ("engine", "external_secrets"),
        ("engine", "vault"),
        ("engine", "store"),
        ("storage", "chart"),
        ("networking", "metallb"),
        ("networking", "pool"),
    }
    assert found.get("engine.store.name") == "outside"
    assert found.get("storage.storage_class") == "local-path"


def test_an_operator_that_flux_installs(ground):
    ground.write("all.yaml", NEEDS.replace("external-secrets.io/v1", "external-secrets.io/v1beta1"))
    ground.write("operator.yaml", BRINGS.replace("CHART", "external-secrets"))
    found = {path: value for path, value in said(ground.read(flux_needs)).items() if path.startswith("engine.")}
    assert found == {
        "engine.external_secrets.installed_by": ("flux", "operator.yaml:1"),
        "engine.external_secrets.namespace": ("x", "operator.yaml:3"),
        "engine.store.api": ("v1beta1", "all.yaml:1"),
        "engine.store.name": ("outside", "all.yaml:4"),
    }


def test_what_flux_brings_is_not(ground):
    ground.write("all.yaml", NEEDS)
    for chart in ("external-secrets", "longhorn", "cilium"):
        ground.write(f"{chart}.yaml", BRINGS.replace("CHART", chart))
    ground.write(
        "store.yaml", "apiVersion: external-secrets.io/v1\nkind: ClusterSecretStore\nmetadata: {name: outside}\n"
    )
    assert ground.read(flux_needs).needed == {}


def test_variables_that_nothing_provides_are_wanted(ground):
    ground.write(
        "apps.yaml",
        """
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: apps, namespace: flux-system}
        spec:
          postBuild:
            substitute: {GIVEN: x}
            substituteFrom: [{kind: ConfigMap, name: cluster-variables}]
        """,
    )
    ground.write("web.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: '${GIVEN} ${HOST}'}\n")
    assert ground.read(flux_needs).wanted == {("gitops", "variables", "HOST"): "web.yaml:4 uses ${HOST}"}


def test_secrets_that_nothing_makes_are_placed(ground):
    ground.write("operator.yaml", BRINGS.replace("CHART", "tailscale-operator"))
    ground.write(
        "web.yaml",
        """
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: web, namespace: shop}
        spec:
          jobTemplate:
            spec:
              template:
                spec:
                  imagePullSecrets: [{name: login}]
                  containers: [{name: web, image: "registry.example/me/web:v1"}]
        """,
    )
    found = ground.read(flux_secrets)
    assert [secret["name"] for secret, _ in found.secrets] == ["operator-oauth"]
    (pull,) = found.get("engine.pull_secrets")
    assert pull == {
        "name": "login",
        "registry": "registry.example",
        "username": "me",
        "password": {"secret": "registry-example-token"},
        "namespaces": ["shop"],
    }
