"""A Flux repository: where it is, what it has, and what it needs of the castle."""

from init.grounds import said
from rebirth.init.readers.flux import read as flux
from rebirth.init.readers.flux_online import read as flux_online


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
