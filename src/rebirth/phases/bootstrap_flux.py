"""Flux: controllers from the repository's own manifests, the source, the root Kustomization."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from rebirth.castle import GitOps
from rebirth.commands import Commands
from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, condition, missing_replicas, split_documents
from rebirth.run.facts import CiliumInstalled, FluxBootstrapped, NamespacesCreated, RepositoryRead, SecretsPlaced
from rebirth.run.waiting import note, together, until

LAYER = "gitops"
PATIENCE = 1200
USUALLY = 15
WAITS_FOR = (CiliumInstalled,)  # its pods need the network of pods

_NAMESPACE = "flux-system"
_UNITS = {"h": 3600, "m": 60, "s": 1}
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
    found = [item for item in rest if item not in ours]
    for said in overruled(gitops, found):
        note(said)
    await cluster.apply(*config_maps(gitops), *sync(gitops, found))
    await _available(cluster, [item["metadata"]["name"] for item in ours if item["kind"] == "Deployment"])
    return FluxBootstrapped(f"{_NAMESPACE}/{_NAMESPACE}")


async def found() -> FluxBootstrapped:
    return FluxBootstrapped(f"{_NAMESPACE}/{_NAMESPACE}")


async def still(fact: FluxBootstrapped, gitops: GitOps, cluster: Cluster) -> bool:
    namespace, _, name = fact.root.partition("/")
    root = await cluster.find(_KUSTOMIZE, "Kustomization", name, namespace)
    wanted = config_maps(gitops)
    kept = [await cluster.find("v1", "ConfigMap", item["metadata"]["name"], _NAMESPACE) for item in wanted]
    for item in await cluster.all("apps/v1", "Deployment", _NAMESPACE):
        # Without its controllers all that Flux has ever said still stands there, and is true no more.
        ours = (item["metadata"].get("labels") or {}).get("app.kubernetes.io/part-of") == "flux"
        if ours and (missing := missing_replicas(item)):
            raise NotYet(f"{item['metadata']['name']}: {missing}")
    same = [there is not None and there.get("data") == item["data"] for item, there in zip(wanted, kept, strict=True)]
    return root is not None and all(same)


async def _exported(commands: Commands) -> list[Any]:
    """The manifests of the flux program, for a repository that keeps none."""
    return list(yaml.safe_load_all(await commands.run(("flux", "install", "--export"), operation="install --export")))


def config_maps(gitops: GitOps) -> list[dict[str, Any]]:
    """The ConfigMaps of the castle's variables for Flux's substitution."""
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": _NAMESPACE}, "data": values}
        for name, values in gitops.config_maps.items()
    ]


def sync(gitops: GitOps, found: Sequence[Any]) -> list[Any]:
    """The repository's own source and root Kustomization, or those that the castle describes."""
    if found:
        return list(found)
    place = {"name": _NAMESPACE, "namespace": _NAMESPACE}
    source = {
        "interval": gitops.interval,
        "url": gitops.repository,
        "ref": {"branch": gitops.branch},
        **({"secretRef": {"name": gitops.auth_secret}} if gitops.credentials else {}),
    }
    decryption = gitops.decryption
    root = {
        "interval": "10m",
        "path": f"./{gitops.path}",
        "prune": True,
        "sourceRef": {"kind": "GitRepository", "name": _NAMESPACE},
        **({"decryption": {"provider": "sops", "secretRef": {"name": decryption.secret_name}}} if decryption else {}),
    }
    return [
        {"apiVersion": _SOURCE, "kind": "GitRepository", "metadata": place, "spec": source},
        {"apiVersion": _KUSTOMIZE, "kind": "Kustomization", "metadata": place, "spec": root},
    ]


def overruled(gitops: GitOps, found: Sequence[Any]) -> Iterator[str]:
    """What castle.yaml says, and the repository's own source and root Kustomization say otherwise: theirs counts."""
    wanted = {item["kind"]: item["spec"] for item in sync(gitops, [])}
    settings = (
        ("repository", "GitRepository", ("url",)),
        ("branch", "GitRepository", ("ref", "branch")),
        ("auth_secret", "GitRepository", ("secretRef", "name")),
        ("interval", "GitRepository", ("interval",)),
        ("path", "Kustomization", ("path",)),
    )
    for key, kind, path in settings:
        for item in found if key in gitops.model_fields_set else ():
            theirs, ours = _at(item.get("spec"), path), _at(wanted[kind], path)
            if (item["kind"], item["metadata"]["name"]) == (kind, _NAMESPACE) and _same(theirs) != _same(ours):
                what = f"{kind} {_NAMESPACE}/{_NAMESPACE} says {theirs or 'nothing'}"
                yield f"gitops.{key} {ours} has no effect: the repository's own {what}; change it there"


def _at(value: Any, path: Sequence[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _same(value: Any) -> str | float:
    """What Flux takes for the same is the same: ./apps and apps/; a URL with .git and without; 1m0s and 60s."""
    text = str(value or "")
    if re.fullmatch(r"(\d+[hms])+", text):
        return float(sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([hms])", text)))
    return text.removeprefix("./").removesuffix("/").removesuffix(".git")


async def _established(cluster: Cluster, names: list[str]) -> None:
    async def look() -> None:
        crds = {
            crd["metadata"]["name"]: crd
            for crd in await cluster.all("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        }
        if waiting := [name for name in names if condition(crds.get(name), "Established")[0] != "True"]:
            raise NotYet(f"not established: {', '.join(waiting)}")

    await until(look, what="Flux's CRDs are established", every=0.5)


async def _available(cluster: Cluster, names: list[str]) -> None:
    async def look() -> None:
        for name in names:
            if missing := missing_replicas(await cluster.find("apps/v1", "Deployment", name, _NAMESPACE)):
                raise NotYet(f"{name}: {missing}")

    await until(
        look,
        what="Flux's controllers are available",
        every=5,
        changes=cluster.changes("apps/v1", "Deployment", _NAMESPACE),
    )
