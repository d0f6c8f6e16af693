"""Volumes that lie on certain machines alone: what is lost when those are gone, and what hangs on it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, stamp
from rebirth.run.waiting import until

HOST = "kubernetes.io/hostname"  # the label by which most volumes are bound to a node
_LONGHORN = "driver.longhorn.io"
_UNIT = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization")


@dataclass(frozen=True)
class LostVolume:
    name: str
    namespace: str  # of its claim; "" where nobody claims it
    claim: str
    pods: tuple[str, ...]  # that use the claim

    def __str__(self) -> str:
        if not self.claim:
            return f"the volume {self.name}, which nobody claims"
        users = f", used by {' and '.join(f'the pod {pod}' for pod in self.pods)}" if self.pods else ""
        return f"the volume {self.name} (claim {self.namespace}/{self.claim}{users})"


async def lost_with(cluster: Cluster, machines: Collection[str]) -> list[LostVolume]:
    """The volumes of which no sound copy is left without these machines, as far as the cluster knows where volumes lie.

    It knows of volumes that are bound to a node (local disks), and of Longhorn's replicas.
    """
    volumes = await cluster.all("v1", "PersistentVolume")
    replicas = await cluster.all("longhorn.io/v1beta2", "Replica")
    pods = await cluster.all("v1", "Pod") if volumes else []
    lost = [volume for volume in volumes if _bound_to(volume, machines) or _copied_to(volume, replicas, machines)]
    return sorted((_described(volume, pods) for volume in lost), key=lambda one: (one.namespace, one.claim, one.name))


async def nodes_named(cluster: Cluster) -> set[str]:
    """Every node that a volume is bound to by its host's name, whether it is there or not."""
    volumes = await cluster.all("v1", "PersistentVolume")
    terms = [one for volume in volumes for term in _terms(volume) for one in term.get("matchExpressions") or ()]
    return {value for one in terms if one.get("key") == HOST for value in one.get("values") or ()}


def is_local(volume: Mapping[str, Any]) -> bool:
    """Whether it is bound to a node by its host's name: a disk of that machine."""
    return any(one.get("key") == HOST for term in _terms(volume) for one in term.get("matchExpressions") or ())


def _bound_to(volume: Mapping[str, Any], machines: Collection[str]) -> bool:
    """Whether each way to the volume leads to these machines: drivers of local disks name a node by labels of their own."""
    terms = _terms(volume)
    return bool(terms) and all(_names_only(term, machines) for term in terms)


def _terms(volume: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return ((volume["spec"].get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or []


def _names_only(term: Mapping[str, Any], machines: Collection[str]) -> bool:
    wanted = [*(term.get("matchExpressions") or ()), *(term.get("matchFields") or ())]
    return any(
        one.get("operator") == "In" and one.get("values") and set(one["values"]) <= set(machines) for one in wanted
    )


def _copied_to(volume: Mapping[str, Any], replicas: Iterable[Mapping[str, Any]], machines: Collection[str]) -> bool:
    """Whether Longhorn has sound copies of it there, and nowhere else."""
    source = volume["spec"].get("csi") or {}
    if source.get("driver") != _LONGHORN:
        return False
    specs = [spec for one in replicas if (spec := one.get("spec") or {}).get("volumeName") == source["volumeHandle"]]
    homes = {spec.get("nodeID") for spec in specs if spec.get("healthyAt") and not spec.get("failedAt")}
    return bool(homes) and homes <= set(machines)


def _described(volume: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> LostVolume:
    claim = volume["spec"].get("claimRef") or {}
    namespace, name = claim.get("namespace", ""), claim.get("name", "")
    return LostVolume(volume["metadata"]["name"], namespace, name, users(pods, namespace, name) if name else ())


def users(pods: Iterable[Mapping[str, Any]], namespace: str, claim: str) -> tuple[str, ...]:
    """The pods that mount a claim, by their names, sorted."""
    found = (pod["metadata"] for pod in pods if claim in _claims(pod))
    return tuple(sorted(meta["name"] for meta in found if meta.get("namespace") == namespace))


def _claims(pod: Mapping[str, Any]) -> Iterator[str]:
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if source := volume.get("persistentVolumeClaim"):
            yield source["claimName"]


async def give_up(cluster: Cluster, volumes: Iterable[LostVolume]) -> None:
    """Removes claims that nothing can satisfy any more, with the pods that wait on them: whoever keeps them makes others."""
    for volume in volumes:
        held = (
            await cluster.find("v1", "PersistentVolumeClaim", volume.claim, volume.namespace) if volume.claim else None
        )
        for pod in volume.pods:
            await cluster.delete("v1", "Pod", pod, volume.namespace, grace=0)
        if held:
            await cluster.delete("v1", "PersistentVolumeClaim", volume.claim, volume.namespace)
            gone = partial(_is_gone, held["metadata"], cluster)
            await until(gone, what=f"the claim {volume.namespace}/{volume.claim} is gone", every=0.5, slowest=3)
            await _ask_flux(held["metadata"], cluster)
        await cluster.delete("v1", "PersistentVolume", volume.name)


async def _is_gone(claim: Mapping[str, Any], cluster: Cluster) -> None:
    found = await cluster.find("v1", "PersistentVolumeClaim", claim["name"], claim["namespace"])
    if found and found["metadata"].get("uid") == claim.get("uid"):
        raise NotYet("a pod uses it, or a finalizer holds it")


async def _ask_flux(claim: Mapping[str, Any], cluster: Cluster) -> None:
    """To make the claim anew now, where it was Flux that made it: else it would notice at its next interval."""
    labels = claim.get("labels") or {}
    api_version, kind = _UNIT
    group = api_version.partition("/")[0]
    name, namespace = labels.get(f"{group}/name"), labels.get(f"{group}/namespace")
    if name and namespace and await cluster.find(api_version, kind, name, namespace):
        asked = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": stamp()}}}
        await cluster.merge(api_version, kind, name, namespace, asked)
