"""Flux: controllers from the repository's own manifests, the source, the root Kustomization."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from rebirth.castle import FluxOfRepository, GitOps
from rebirth.castle.model import seconds_of
from rebirth.commands import Commands
from rebirth.errors import NotYet
from rebirth.phases.made import flux as made
from rebirth.phases.made.living.differences import fields, named, of_objects, shown
from rebirth.phases.made.rollout import PODS
from rebirth.providers.cluster import Cluster, missing_replicas, split_documents
from rebirth.run.change import Change, How
from rebirth.run.facts import CiliumInstalled, FluxBootstrapped, NamespacesCreated, RepositoryRead, SecretsPlaced
from rebirth.run.waiting import note, together, until

LAYER = "gitops"
PATIENCE = 1200
USUALLY = 15
WAITS_FOR = (CiliumInstalled,)  # its pods need the network of pods
HINT = PODS

_APPLIED = "kustomize.toolkit.fluxcd.io/name"  # a label of what a Kustomization has applied


async def bootstrap_flux(
    flux: FluxOfRepository,
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
    crds = [item["metadata"]["name"] for item in first if item["kind"] == "CustomResourceDefinition"]
    await made.until_established(cluster, crds, "Flux's CRDs are established")
    ours = [item for item in rest if "toolkit.fluxcd.io" not in item["apiVersion"]]
    await together(*map(cluster.apply, ours))
    found = [item for item in rest if item not in ours]
    for said in overruled(gitops, found):
        note(said)
    await cluster.apply(*made.config_maps(gitops), *(found or made.sync(gitops)))
    await _available(cluster, [item["metadata"]["name"] for item in ours if item["kind"] == "Deployment"])
    return FluxBootstrapped(f"{made.NAMESPACE}/{made.NAMESPACE}")


async def changes(
    gitops: GitOps, flux: FluxOfRepository, cluster: Cluster, repository: RepositoryRead | None
) -> list[Change]:
    found = await of_objects(cluster, [(item, "gitops") for item in made.config_maps(gitops)])
    wanted = made.sync(gitops)
    there = [await cluster.find(item["apiVersion"], item["kind"], made.NAMESPACE, made.NAMESPACE) for item in wanted]
    if repository is not None:
        _, rest = split_documents(repository.flux_manifests or ())
        own = [item for item in rest if "toolkit.fluxcd.io" in item["apiVersion"]]
    else:  # what Flux has applied itself is the repository's own
        own = [item for item in there if item and _APPLIED in (item["metadata"].get("labels") or {})]
    for setting, ours, theirs in _overruled(gitops, own):
        text = f"{ours} has no effect: {theirs}; change it there"
        found.append(Change(f"gitops.{setting}", How.REFUSED, text, f"gitops.{setting}"))
    for item, live in zip(wanted, there, strict=True):
        said = next((one for one in own if _is(one, item["kind"])), item)
        if live is None:
            found.append(Change(named(item), How.NOW, "is not there, and is made", "gitops"))
        elif paths := [path for path in fields(live, said) if not _alike(live, said, path.split("."))]:
            found.append(Change(named(item), How.NOW, f"{shown(paths)} will be as it says", "gitops"))
    return found


def _is(item: Mapping[str, Any], kind: str) -> bool:
    return (item["kind"], item["metadata"]["name"]) == (kind, made.NAMESPACE)


def _alike(one: Any, other: Any, path: Sequence[str]) -> bool:
    return _same(_at(one, path)) == _same(_at(other, path))


async def found() -> FluxBootstrapped:
    return FluxBootstrapped(f"{made.NAMESPACE}/{made.NAMESPACE}")


async def still(fact: FluxBootstrapped, gitops: GitOps, cluster: Cluster) -> bool:
    return await made.runs(cluster, gitops, fact.root)


async def _exported(commands: Commands) -> list[Any]:
    """The manifests of the flux program, for a repository that keeps none."""
    return list(yaml.safe_load_all(await commands.run(("flux", "install", "--export"), operation="install --export")))


def overruled(gitops: GitOps, found: Sequence[Any]) -> Iterator[str]:
    """What castle.yaml says, and the repository's own source and root Kustomization say otherwise: theirs counts."""
    for setting, ours, theirs in _overruled(gitops, found):
        yield f"gitops.{setting} {ours} has no effect: {theirs}; change it there"


def _overruled(gitops: GitOps, found: Sequence[Any]) -> Iterator[tuple[str, str, str]]:
    """Setting, what castle.yaml says, and who says otherwise."""
    wanted = {item["kind"]: item["spec"] for item in made.sync(gitops)}
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
            if _is(item, kind) and _same(theirs) != _same(ours):
                what = f"{kind} {made.NAMESPACE}/{made.NAMESPACE} says {theirs or 'nothing'}"
                yield key, str(ours), f"the repository's own {what}"


def _at(value: Any, path: Sequence[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _same(value: Any) -> str | float:
    """What Flux takes for the same is the same: ./apps and apps/; a URL with .git and without; 1m0s and 60s."""
    text = str(value or "")
    if (seconds := seconds_of(text)) is not None:
        return seconds
    return text.removeprefix("./").removesuffix("/").removesuffix(".git")


async def _available(cluster: Cluster, names: list[str]) -> None:
    async def look() -> None:
        for name in names:
            if missing := missing_replicas(await cluster.find("apps/v1", "Deployment", name, made.NAMESPACE)):
                raise NotYet(f"{name}: {missing}")

    await until(
        look,
        what="Flux's controllers are available",
        every=5,
        changes=cluster.changes("apps/v1", "Deployment", made.NAMESPACE),
    )
