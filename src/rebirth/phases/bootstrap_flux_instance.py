"""Flux by its operator: the operator's chart, then the FluxInstance that says which Flux, and what it follows."""

import json
from collections.abc import Mapping
from typing import Any

from rebirth.castle import FluxByOperator, GitOps, Kubernetes
from rebirth.errors import NotYet
from rebirth.phases.made import flux as made
from rebirth.phases.made.living.differences import of_objects, of_release
from rebirth.phases.made.rollout import PODS
from rebirth.providers.cluster import Cluster, condition
from rebirth.providers.helm import Helm
from rebirth.run.change import Change
from rebirth.run.facts import FluxBootstrapped, NamespacesCreated, SecretsPlaced
from rebirth.run.waiting import until

LAYER = "gitops"
PATIENCE = 900
USUALLY = 40
HINT = PODS

_VERSION, _KIND, _NAME = "fluxcd.controlplane.io/v1", "FluxInstance", "flux"  # it takes no other name
_CHART = "flux-operator"
_DEFAULTS = {"distribution": {"version": "2.x", "registry": "ghcr.io/fluxcd"}}


async def bootstrap_flux_instance(
    flux: FluxByOperator,
    gitops: GitOps,
    kubernetes: Kubernetes,
    cluster: Cluster,
    helm: Helm,
    namespaces: NamespacesCreated,
    placed: SecretsPlaced,
) -> FluxBootstrapped:
    """Bootstrap Flux with its operator."""
    chart = flux.operator
    await helm.ensure(
        name=_CHART,
        namespace=chart.namespace,
        chart=_CHART,
        version=chart.version,
        repository=chart.repository,
        values=chart.values,
    )
    await made.until_established(
        cluster, ["fluxinstances.fluxcd.controlplane.io"], "flux-operator's CRD is established"
    )
    await cluster.apply(*made.config_maps(gitops), instance(flux, gitops, kubernetes))
    await _ready(cluster)
    return FluxBootstrapped(f"{made.NAMESPACE}/{made.NAMESPACE}")


async def changes(
    flux: FluxByOperator, gitops: GitOps, kubernetes: Kubernetes, cluster: Cluster, helm: Helm
) -> list[Change]:
    chart = flux.operator
    release = await of_release(
        helm, name=_CHART, chart=_CHART, spec=chart, values=chart.values, setting="gitops.flux.operator"
    )
    wanted = [*made.config_maps(gitops), instance(flux, gitops, kubernetes)]
    return [*release, *await of_objects(cluster, [(item, "gitops") for item in wanted])]


async def found() -> FluxBootstrapped:
    return FluxBootstrapped(f"{made.NAMESPACE}/{made.NAMESPACE}")


async def still(
    fact: FluxBootstrapped, flux: FluxByOperator, gitops: GitOps, kubernetes: Kubernetes, cluster: Cluster
) -> bool:
    there = await cluster.find(_VERSION, _KIND, _NAME, made.NAMESPACE)
    if there is None or not _says(there["spec"], instance(flux, gitops, kubernetes)["spec"]):
        return False
    return await made.runs(cluster, gitops, fact.root)


def instance(flux: FluxByOperator, gitops: GitOps, kubernetes: Kubernetes) -> dict[str, Any]:
    """The FluxInstance. What castle.yaml says of it goes before what is made here."""
    said: dict[str, Any] = {**_DEFAULTS, **flux.instance}
    said["cluster"] = {"type": "kubernetes", "domain": kubernetes.cluster_domain, **said.get("cluster", {})}
    said["sync"] = {
        "kind": "GitRepository",
        "url": gitops.repository,
        "ref": f"refs/heads/{gitops.branch}",
        "path": gitops.path,
        "interval": gitops.interval,
        **({"pullSecret": gitops.auth_secret} if gitops.credentials else {}),
    }
    if gitops.decryption:  # its `sync` knows no decryption
        add = [{"op": "add", "path": "/spec/decryption", "value": made.decryption(gitops.decryption.secret_name)}]
        patch = {"target": {"kind": "Kustomization"}, "patch": json.dumps(add)}
        kustomize = said.get("kustomize", {})
        said["kustomize"] = {**kustomize, "patches": [*kustomize.get("patches", []), patch]}
    place = {"name": _NAME, "namespace": flux.operator.namespace}
    return {"apiVersion": _VERSION, "kind": _KIND, "metadata": place, "spec": said}


def _says(there: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there, beside what the API server adds by itself."""
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        return all(key in there and _says(there[key], value) for key, value in wanted.items())
    return bool(there == wanted)


async def _ready(cluster: Cluster) -> None:
    async def look() -> None:
        status, message = condition(await cluster.find(_VERSION, _KIND, _NAME, made.NAMESPACE))
        if status != "True":
            raise NotYet(message)

    await until(
        look,
        what="the FluxInstance is Ready",
        every=3,
        changes=cluster.changes(_VERSION, _KIND, made.NAMESPACE),
    )
