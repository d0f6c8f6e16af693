"""Flux: controllers from the repository's own manifests, the source, the root Kustomization."""

from collections.abc import Sequence
from typing import Any

import yaml

from rebirth.castle import GitOps
from rebirth.commands import Commands
from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, condition, ready_replicas, split_documents
from rebirth.run.facts import FluxBootstrapped, NamespacesCreated, RepositoryRead, SecretsPlaced
from rebirth.run.waiting import together, until

LAYER = "gitops"
PATIENCE = 600
USUALLY = 15

_NAMESPACE = "flux-system"
_SOURCE, _KUSTOMIZE = "source.toolkit.fluxcd.io/v1", "kustomize.toolkit.fluxcd.io/v1"


async def bootstrap_flux(
    gitops: GitOps,
    cluster: Cluster,
    commands: Commands,
    repository: RepositoryRead,
    namespaces: NamespacesCreated,
    placed: SecretsPlaced,
) -> FluxBootstrapped:
    """Bootstrap Flux."""
    manifests = repository.flux_manifests
    documents: Sequence[Any] = manifests if manifests is not None else await _exported(commands)
    first, rest = split_documents(documents)
    await together(*map(cluster.apply, first))
    await _established(
        cluster, [item["metadata"]["name"] for item in first if item["kind"] == "CustomResourceDefinition"]
    )
    ours = [item for item in rest if "toolkit.fluxcd.io" not in item["apiVersion"]]
    await together(*map(cluster.apply, ours))
    await cluster.apply(variables(gitops), *sync(gitops, [item for item in rest if item not in ours]))
    await _available(cluster, [item["metadata"]["name"] for item in ours if item["kind"] == "Deployment"])
    return FluxBootstrapped(f"{_NAMESPACE}/{_NAMESPACE}")


async def found() -> FluxBootstrapped:
    return FluxBootstrapped(f"{_NAMESPACE}/{_NAMESPACE}")


async def still(fact: FluxBootstrapped, gitops: GitOps, cluster: Cluster) -> bool:
    namespace, _, name = fact.root.partition("/")
    root = await cluster.find(_KUSTOMIZE, "Kustomization", name, namespace)
    kept = await cluster.find("v1", "ConfigMap", "cluster-variables", _NAMESPACE)
    return root is not None and kept is not None and kept.get("data") == gitops.variables


async def _exported(commands: Commands) -> list[Any]:
    """The manifests of the flux program, for a repository that keeps none."""
    return list(yaml.safe_load_all(await commands.run(("flux", "install", "--export"), operation="install --export")))


def variables(gitops: GitOps) -> dict[str, Any]:
    """The ConfigMap of the castle's variables for Flux' substitution."""
    place = {"name": "cluster-variables", "namespace": _NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": dict(gitops.variables)}


def sync(gitops: GitOps, found: Sequence[Any]) -> list[Any]:
    """The repository's own source and root Kustomization, or those that the castle describes."""
    if found:
        return list(found)
    place = {"name": _NAMESPACE, "namespace": _NAMESPACE}
    source = {
        "interval": gitops.interval,
        "url": gitops.repository,
        "ref": {"branch": gitops.branch},
        "secretRef": {"name": gitops.auth_secret},
    }
    root = {
        "interval": "10m",
        "path": f"./{gitops.path}",
        "prune": True,
        "sourceRef": {"kind": "GitRepository", "name": _NAMESPACE},
    }
    return [
        {"apiVersion": _SOURCE, "kind": "GitRepository", "metadata": place, "spec": source},
        {"apiVersion": _KUSTOMIZE, "kind": "Kustomization", "metadata": place, "spec": root},
    ]


async def _established(cluster: Cluster, names: list[str]) -> None:
    async def look() -> None:
        crds = {
            crd["metadata"]["name"]: crd
            for crd in await cluster.all("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        }
        if waiting := [name for name in names if condition(crds.get(name), "Established")[0] != "True"]:
            raise NotYet(f"not established: {', '.join(waiting)}")

    await until(look, what="Flux' CRDs are established", every=0.5)


async def _available(cluster: Cluster, names: list[str]) -> None:
    async def look() -> None:
        for name in names:
            available, wanted = ready_replicas(await cluster.find("apps/v1", "Deployment", name, _NAMESPACE))
            if available < wanted:
                raise NotYet(f"{name} is not available")

    await until(
        look,
        what="Flux' controllers are available",
        every=5,
        changes=cluster.changes("apps/v1", "Deployment", _NAMESPACE),
    )
