"""PersistentVolumes, claims and StorageClasses (pkg/apis/core and pkg/apis/storage of Kubernetes 1.35)."""

from collections.abc import Iterator

from rebirth.proof.validation.claims import access_modes, claim_spec, positive
from rebirth.proof.validation.scheduling import node_selector
from rebirth.proof.validation.values import (
    Fields,
    Refusal,
    choice,
    entries,
    has,
    inner,
    is_known,
    is_qualified,
    just_one,
    needs,
    needs_entry,
    shown,
    steps_back,
    subdomain,
    text,
    texts,
    within,
)

_SPEC = ("spec",)
_NEEDED = {
    "local": ("path",),
    "csi": ("driver", "volumeHandle"),
    "iscsi": ("targetPortal", "iqn"),
}  # of others the schema says it
_SOURCES = (
    "hostPath", "nfs", "local", "csi", "iscsi", "rbd", "cephfs", "glusterfs", "gcePersistentDisk", "awsElasticBlockStore", "flocker",
    "quobyte", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk",
    "scaleIO", "storageos",
)  # fmt: skip


def claim(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    if spec:
        yield from claim_spec(spec, _SPEC)


def volume(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    if not spec:
        return
    if "accessModes" in spec:
        yield from needs_entry(spec, _SPEC, "accessModes")
    yield from access_modes(spec, _SPEC)
    capacity = inner(spec, "capacity")
    if (
        "capacity" in spec
        and is_known(spec["capacity"])
        and set(capacity) != {"storage"}
        and all(map(is_known, capacity))
    ):
        words = "must have storage, and nothing else"
        yield Refusal((*_SPEC, "capacity"), words)
    yield from positive(capacity, (*_SPEC, "capacity"), "storage")
    yield from just_one(spec, _SPEC, _SOURCES, named=4)
    yield from subdomain(spec, _SPEC, "storageClassName")
    yield from choice(spec, _SPEC, "volumeMode", "Filesystem", "Block")
    yield from _source(spec)
    affinity = inner(spec, "nodeAffinity")
    if affinity and not has(affinity, "required"):
        yield Refusal((*_SPEC, "nodeAffinity", "required"), "is missing")
    yield from node_selector(inner(affinity, "required"), (*_SPEC, "nodeAffinity", "required"))


def _source(spec: Fields) -> Iterator[Refusal]:
    for source, fields in _NEEDED.items():
        if isinstance(spec.get(source), dict):
            yield from needs(spec[source], (*_SPEC, source), *fields)
    for source in ("local", "hostPath"):
        yield from steps_back(inner(spec, source), (*_SPEC, source), "path")
    if isinstance(spec.get("local"), dict) and not inner(spec, "nodeAffinity") and is_known(spec.get("nodeAffinity")):
        yield Refusal((*_SPEC, "nodeAffinity"), "is missing, and a local volume says on which node it is")
    if text(inner(spec, "hostPath"), "path") == "/" and text(spec, "persistentVolumeReclaimPolicy") == "Recycle":
        yield Refusal((*_SPEC, "persistentVolumeReclaimPolicy"), "is Recycle for the whole file system of a node")
    yield from within(inner(spec, "iscsi"), (*_SPEC, "iscsi"), 0, 255, "lun")
    yield from subdomain({"driver": text(inner(spec, "csi"), "driver").lower()}, (*_SPEC, "csi"), "driver")
    name = text(inner(spec, "iscsi"), "iqn")
    if name and not name.startswith(("iqn", "eui", "naa")):
        yield Refusal((*_SPEC, "iscsi", "iqn"), f"is {shown(name)} and must begin with iqn, eui or naa")


def storage_class(data: Fields) -> Iterator[Refusal]:
    provisioner = text(data, "provisioner").lower()
    if provisioner and not is_qualified(provisioner):
        yield Refusal(("provisioner",), f"is {shown(provisioner)} and must be a word, behind a domain and / or not")
    yield from choice(data, (), "volumeBindingMode", "Immediate", "WaitForFirstConsumer")
    for index, term in entries(data, "allowedTopologies"):
        seen: set[str] = set()
        for at, expression in entries(term, "matchLabelExpressions"):
            where = ("allowedTopologies", index, "matchLabelExpressions", at)
            yield from needs(expression, where, "key")
            yield from needs_entry(expression, where, "values")
            values = [value for _, value in texts(expression, "values")]
            if len(values) > len(set(values)):
                yield Refusal((*where, "values"), "has a value twice")
            key = text(expression, "key")
            if key and not is_qualified(key):
                yield Refusal((*where, "key"), f"is {shown(key)} and must be the name of a label")
            if key and key in seen:
                yield Refusal((*where, "key"), f"is {key}, which another expression has, too")
            seen.add(key)
