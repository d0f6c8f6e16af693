"""Volumes of pods, and what volumes and claims have in common (pkg/apis/core/validation of Kubernetes 1.35)."""

from collections.abc import Iterator

from rebirth.proof.validation import claims
from rebirth.proof.validation.containers import field_of, resource_of
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    amount,
    at_most_one,
    descends,
    entries,
    has,
    inner,
    needs,
    number,
    one_of,
    shown,
    steps_back,
    subdomain,
    text,
    twice,
)

SOURCES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "flocker",
    "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume", "configMap", "azureFile",
    "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral",
    "image",
)  # fmt: skip
_PROJECTED = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")
_FIELDS = frozenset({"metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid"})
_MOST_MODE = 0o777


def volumes(pod: Fields, path: Path) -> Iterator[Refusal]:
    yield from twice(pod, path, "volumes", "name", "volume of the pod")
    for index, volume in entries(pod, "volumes"):
        where = (*path, "volumes", index)
        yield from at_most_one(volume, where, SOURCES)
        for source in SOURCES:
            if source in volume and source in _OF_SOURCE and isinstance(volume[source], dict):
                yield from _OF_SOURCE[source](volume[source], (*where, source))


def _mode(found: Fields, path: Path, key: str) -> Iterator[Refusal]:
    mode = number(found, key)
    if mode is not None and not 0 <= mode <= _MOST_MODE:
        octal = f"; 0{mode} is meant, perhaps" if str(mode).isdigit() and not set(str(mode)) & {"8", "9"} else ""
        yield Refusal((*path, key), f"is {mode} and must be from 0 to 0777, which is 511{octal}")


def _items(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from _mode(found, path, "defaultMode")
    for index, item in entries(found, "items"):
        where = (*path, "items", index)
        yield from _inside(item, where)
        yield from _mode(item, where, "mode")


def _inside(item: Fields, path: Path) -> Iterator[Refusal]:
    """A path inside the volume."""
    yield from descends(item, path, "path")
    if text(item, "path").startswith(".."):
        yield Refusal((*path, "path"), f"is {shown(item['path'])} and may not begin with ..")


def _secret(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from needs(found, path, "secretName")
    yield from _items(found, path)


def _config_map(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from needs(found, path, "name")
    yield from _items(found, path)


def _claim(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from needs(found, path, "claimName")


def host_path(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from steps_back(found, path, "path")


def nfs(found: Fields, path: Path) -> Iterator[Refusal]:
    for field in ("server", "path"):
        if field in found and not has(found, field):
            yield Refusal((*path, field), "is empty")


def _empty_dir(found: Fields, path: Path) -> Iterator[Refusal]:
    limit = found.get("sizeLimit")
    size = amount(limit) if isinstance(limit, str | int | float) else None
    if size is not None and size < 0:
        yield Refusal((*path, "sizeLimit"), f"is {limit} and must be at least 0")


def _downward(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from _items(found, path)
    for index, item in entries(found, "items"):
        where = (*path, "items", index)
        if not any(has(item, source) for source in ("fieldRef", "resourceFieldRef")):
            yield Refusal(where, "has none of fieldRef, resourceFieldRef: one of them has to be there")
        yield from at_most_one(item, where, ("fieldRef", "resourceFieldRef"))
        yield from needs(item, where, "path")
        yield from field_of(inner(item, "fieldRef"), (*where, "fieldRef"), _FIELDS)
        if isinstance(item.get("resourceFieldRef"), dict):
            yield from needs(item["resourceFieldRef"], (*where, "resourceFieldRef"), "containerName")
            yield from resource_of(item["resourceFieldRef"], (*where, "resourceFieldRef"))


def _projected(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from _mode(found, path, "defaultMode")
    seen: set[str] = set()
    for index, source in entries(found, "sources"):
        where = (*path, "sources", index)
        yield from at_most_one(source, where, _PROJECTED)
        for part in ("secret", "configMap"):
            if isinstance(source.get(part), dict):
                yield from needs(source[part], (*where, part), "name")
                yield from _items(source[part], (*where, part))
        if isinstance(source.get("downwardAPI"), dict):
            yield from _downward(source["downwardAPI"], (*where, "downwardAPI"))
        for part in ("secret", "configMap", "downwardAPI"):
            for at, item in entries(inner(source, part), "items"):
                name = text(item, "path")
                if name and name in seen:
                    yield Refusal(
                        (*where, part, "items", at, "path"),
                        f"is {shown(name)}, where another source puts something, too",
                    )
                seen.add(name)
        if isinstance(source.get("serviceAccountToken"), dict):
            yield from _token(source["serviceAccountToken"], (*where, "serviceAccountToken"))


def _token(found: Fields, path: Path) -> Iterator[Refusal]:
    lasts = number(found, "expirationSeconds")
    if lasts is not None and lasts < 600:
        yield Refusal((*path, "expirationSeconds"), f"is {lasts} and must be at least 600, ten minutes")
    yield from needs(found, path, "path")
    yield from _inside(found, path)


def _ephemeral(found: Fields, path: Path) -> Iterator[Refusal]:
    template = found.get("volumeClaimTemplate")
    if not isinstance(template, dict):
        yield Refusal((*path, "volumeClaimTemplate"), "is missing")
    else:
        yield from claims.claim_spec(inner(template, "spec"), (*path, "volumeClaimTemplate", "spec"))


def _csi(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from needs(found, path, "driver")
    yield from subdomain({"driver": text(found, "driver").lower()}, path, "driver")


def _image(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from one_of(found, path, "pullPolicy", "Always", "IfNotPresent", "Never")


_OF_SOURCE = {
    "secret": _secret, "configMap": _config_map, "persistentVolumeClaim": _claim, "hostPath": host_path, "nfs": nfs,
    "emptyDir": _empty_dir, "downwardAPI": _downward, "projected": _projected, "ephemeral": _ephemeral, "csi": _csi, "image": _image,
}  # fmt: skip
