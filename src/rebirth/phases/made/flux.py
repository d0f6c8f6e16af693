"""What castle.yaml has for Flux, however Flux comes into the cluster."""

from collections.abc import Sequence
from typing import Any

from rebirth.castle import GitOps
from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, condition, missing_replicas
from rebirth.run.waiting import until

NAMESPACE = "flux-system"
SOURCE, KUSTOMIZE = "source.toolkit.fluxcd.io/v1", "kustomize.toolkit.fluxcd.io/v1"


def sync(gitops: GitOps) -> list[dict[str, Any]]:
    """The source and the root Kustomization that the castle describes."""
    place = {"name": NAMESPACE, "namespace": NAMESPACE}
    source = {
        "interval": gitops.interval,
        "url": gitops.repository,
        "ref": {"branch": gitops.branch},
        **({"secretRef": {"name": gitops.auth_secret}} if gitops.credentials else {}),
    }
    root = {
        "interval": "10m",
        "path": f"./{gitops.path}",
        "prune": True,
        "sourceRef": {"kind": "GitRepository", "name": NAMESPACE},
        **({"decryption": decryption(gitops.decryption.secret_name)} if gitops.decryption else {}),
    }
    return [
        {"apiVersion": SOURCE, "kind": "GitRepository", "metadata": place, "spec": source},
        {"apiVersion": KUSTOMIZE, "kind": "Kustomization", "metadata": place, "spec": root},
    ]


def decryption(secret: str) -> dict[str, Any]:
    """`decryption` of a Kustomization."""
    return {"provider": "sops", "secretRef": {"name": secret}}


def config_maps(gitops: GitOps) -> list[dict[str, Any]]:
    """The ConfigMaps of the castle's variables for Flux's substitution."""
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE}, "data": values}
        for name, values in gitops.config_maps.items()
    ]


async def until_established(cluster: Cluster, names: Sequence[str], what: str) -> None:
    """Until these CRDs are."""

    async def look() -> None:
        listed = await cluster.all("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        crds = {crd["metadata"]["name"]: crd for crd in listed}
        if waiting := [name for name in names if condition(crds.get(name), "Established")[0] != "True"]:
            raise NotYet(f"not established: {', '.join(waiting)}")

    await until(look, what=what, every=0.5)


async def runs(cluster: Cluster, gitops: GitOps, root: str) -> bool:
    """Whether controllers, root Kustomization and variables are there. Raises NotYet where a controller does not run."""
    namespace, _, name = root.partition("/")
    there = await cluster.find(KUSTOMIZE, "Kustomization", name, namespace)
    wanted = config_maps(gitops)
    kept = [await cluster.find("v1", "ConfigMap", item["metadata"]["name"], NAMESPACE) for item in wanted]
    for item in await cluster.all("apps/v1", "Deployment", NAMESPACE):
        # Without its controllers all that Flux has ever said still stands there, and is true no more.
        ours = (item["metadata"].get("labels") or {}).get("app.kubernetes.io/part-of") == "flux"
        if ours and (missing := missing_replicas(item)):
            raise NotYet(f"{item['metadata']['name']}: {missing}")
    same = [one is not None and (one.get("data") or {}) == item["data"] for item, one in zip(wanted, kept, strict=True)]
    return there is not None and all(same)
