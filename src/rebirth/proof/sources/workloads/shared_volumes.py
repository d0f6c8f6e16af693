"""Volumes that one machine at a time can have, and pods on several that mount them."""

from collections.abc import Mapping

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods, selectors
from rebirth.proof.reading.manifest import Manifest, Model

_HOST = "kubernetes.io/hostname"
_ONE_MACHINE, _ONE_POD = "ReadWriteOnce", "ReadWriteOncePod"
# Volumes of these lie on a machine: pods that mount one are scheduled there.
_LOCAL = {
    "rancher.io/local-path",
    "openebs.io/local",
    "topolvm.io",
    "topolvm.cybozu.com",
    "kubernetes.io/no-provisioner",
}
_KINDS = {"Deployment", "ReplicaSet", "DaemonSet"}


def read(model: Model, graph: Graph) -> None:
    if len(model.machines) == 1 and (model.castle is not None or model.machines[0].generated):
        return
    for found in pods.every(model):
        several = found.manifest.kind == "DaemonSet" or found.replicas > 1
        for index, volume in found.volumes() if several and found.manifest.kind in _KINDS else ():
            inner = volume.get("persistentVolumeClaim")
            if not isinstance(inner, Mapping) or inner.get("readOnly") is True:
                continue
            for claim, _ in model.find("PersistentVolumeClaim", found.namespace, str(inner.get("claimName"))):
                _mounted(model, found, index, claim, graph)


def _mounted(model: Model, found: pods.Pods, index: int, claim: Manifest, graph: Graph) -> None:
    modes = claim.items("spec", "accessModes")
    if modes not in ([_ONE_MACHINE], [_ONE_POD]):
        return
    apart = _stands_apart(found) or modes == [_ONE_POD]
    if not apart and not _travels(model, claim):
        return
    count = "pods on every machine" if found.manifest.kind == "DaemonSet" else f"{found.replicas} replicas"
    words = f"{found.thing.label} has {count}, and they mount {claim.thing().label}, which is {modes[0]}"
    place = found.place("volumes", index, "persistentVolumeClaim", "claimName")
    graph.remark("volume-of-one", place, words, found.thing, apart="yes" if apart else "")


def _travels(model: Model, claim: Manifest) -> bool:
    """Whether the volume is known to follow its pod from machine to machine: one that lies on a machine keeps its pods there."""
    name = claim.at("spec", "storageClassName")
    for member, _ in model.objects("StorageClass"):
        if member.name == name:
            return str(member.at("provisioner")) not in _LOCAL
    return False


def _stands_apart(found: pods.Pods) -> bool:
    """Whether the pods refuse to stand on one machine."""
    path = ("affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    for term in found.manifest.items(*found.path, "spec", *path):
        selector = term.get("labelSelector") if isinstance(term, Mapping) and term.get("topologyKey") == _HOST else None
        if isinstance(selector, Mapping) and selectors.selects(selector, found.labels):
            return True
    return False
