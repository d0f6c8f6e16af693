"""Pods, in whatever object they are described: who runs them, and what they name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from rebirth.proof.reading.manifest import Manifest, Model, Unit
from rebirth.proof.things import Milestone, Place, Thing

_TEMPLATES: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): (),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}


class Reference(NamedTuple):
    """A Secret or ConfigMap that pods name."""

    kind: str
    name: str
    key: str | None  # None: all of it
    optional: bool
    path: tuple[str | int, ...]  # inside the manifest
    how: str  # env, envFrom, volume, subPath

    @property
    def key_path(self) -> tuple[str | int, ...]:
        """Where the key is named."""
        return (*self.path[:-1], "key") if self.how == "env" else self.path


@dataclass(frozen=True, slots=True, eq=False)
class Pods:
    """The pods that one object runs."""

    manifest: Manifest
    unit: Unit
    path: tuple[str, ...]  # to the pod's own metadata and spec

    @property
    def thing(self) -> Thing:
        """True when they have done what they are for: a CronJob is Ready as soon as it exists, but its pods may not start."""
        milestone = Milestone.SERVES if self.manifest.kind == "CronJob" else Milestone.READY
        return self.manifest.thing(milestone)

    @property
    def namespace(self) -> str:
        return self.manifest.namespace

    @property
    def labels(self) -> Mapping[str, Any]:
        return self.manifest.mapping(*self.path, "metadata", "labels")

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.manifest.mapping(*self.path, "spec")

    @property
    def replicas(self) -> int:
        """How many there are to be; a DaemonSet counts as one."""
        for field in ("replicas", "parallelism"):
            found = self.manifest.at("spec", field)
            if isinstance(found, int):
                return found
        return 1

    def place(self, *path: str | int) -> Place:
        """A place in the pod's spec."""
        return self.manifest.place(*self.path, "spec", *path)

    def containers(self, *, init: bool = True) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
        """Each container with the list and the index it stands at."""
        for part in ("initContainers", "containers") if init else ("containers",):
            for index, container in enumerate(self.manifest.items(*self.path, "spec", part)):
                if isinstance(container, Mapping):
                    yield part, index, container

    def volumes(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for index, volume in enumerate(self.manifest.items(*self.path, "spec", "volumes")):
            if isinstance(volume, Mapping):
                yield index, volume

    def references(self) -> Iterator[Reference]:
        """Every Secret and ConfigMap that the pods name, pull Secrets left out."""
        for part, index, container in self.containers():
            yield from _of_environment(container, (*self.path, "spec", part, index))
        for number, volume in self.volumes():
            yield from _of_volume(volume, (*self.path, "spec", "volumes", number))
            yield from self._of_mounts(volume)

    def _of_mounts(self, volume: Mapping[str, Any]) -> Iterator[Reference]:
        """Single files mounted out of a Secret or ConfigMap: there is nothing at that path unless the key is there."""
        for kind, field, name in (("Secret", "secret", "secretName"), ("ConfigMap", "configMap", "name")):
            source = volume.get(field)
            if not isinstance(source, Mapping) or not _named(source, name):
                continue
            items = [item for item in _list(source.get("items")) if isinstance(item, Mapping)]
            keys = {str(item.get("path")): str(item.get("key")) for item in items}
            for part, index, container in self.containers():
                for at, mount in enumerate(_list(container.get("volumeMounts"))):
                    if not isinstance(mount, Mapping) or mount.get("name") != volume.get("name"):
                        continue
                    sub = mount.get("subPath")
                    if isinstance(sub, str) and sub and (not items or sub not in keys) and "/" not in sub:
                        path: tuple[str | int, ...] = (*self.path, "spec", part, index, "volumeMounts", at, "subPath")
                        yield Reference(kind, str(source[name]), sub, source.get("optional") is True, path, "subPath")


def of(manifest: Manifest, unit: Unit) -> Pods | None:
    """The pods that `manifest` describes."""
    path = _TEMPLATES.get((manifest.group, manifest.kind))
    return None if path is None else Pods(manifest, unit, path)


def every(model: Model) -> Iterator[Pods]:
    """All pods of a model, in the order in which they are applied."""
    for manifest, unit in model.objects(*{kind for _, kind in _TEMPLATES}):
        if found := of(manifest, unit):
            yield found


def described(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Reference]:
    """What pods name that an object describes wherever it likes, as custom resources do: variables, and volumes with claims."""
    if isinstance(value, Mapping):
        yield from _of_environment(value, path)
        for number, volume in enumerate(_list(value.get("volumes"))):
            if isinstance(volume, Mapping) and volume.get("name"):
                where = (*path, "volumes", number)
                yield from _of_volume(volume, where)
                claim = volume.get("persistentVolumeClaim")
                if isinstance(claim, Mapping) and _named(claim, "claimName"):
                    inside = (*where, "persistentVolumeClaim", "claimName")
                    yield Reference("PersistentVolumeClaim", claim["claimName"], None, False, inside, "volume")
        for key, item in value.items():
            yield from described(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from described(item, (*path, index))


def _of_environment(container: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[Reference]:
    for index, entry in enumerate(_list(container.get("env"))):
        source = entry.get("valueFrom") if isinstance(entry, Mapping) else None
        if not isinstance(source, Mapping):
            continue
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            named = source.get(field)
            if isinstance(named, Mapping) and _named(named, "name"):
                where = (*path, "env", index, "valueFrom", field, "name")
                key = str(named.get("key", ""))
                yield Reference(kind, str(named["name"]), key or None, named.get("optional") is True, where, "env")
    for index, entry in enumerate(_list(container.get("envFrom"))):
        if not isinstance(entry, Mapping):
            continue
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            named = entry.get(field)
            if isinstance(named, Mapping) and _named(named, "name"):
                where = (*path, "envFrom", index, field, "name")
                yield Reference(kind, str(named["name"]), None, named.get("optional") is True, where, "envFrom")


def _of_volume(volume: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[Reference]:
    yield from _of_source(volume, path, "secretName")
    projected = volume.get("projected")
    for index, source in enumerate(_list(projected.get("sources")) if isinstance(projected, Mapping) else []):
        if isinstance(source, Mapping):
            yield from _of_source(source, (*path, "projected", "sources", index), "name")


def _of_source(source: Mapping[str, Any], path: tuple[str | int, ...], secret_name: str) -> Iterator[Reference]:
    for kind, field, name in (("Secret", "secret", secret_name), ("ConfigMap", "configMap", "name")):
        named = source.get(field)
        if not isinstance(named, Mapping) or not _named(named, name):
            continue
        optional = named.get("optional") is True
        yield Reference(kind, str(named[name]), None, optional, (*path, field, name), "volume")
        for index, item in enumerate(_list(named.get("items"))):
            if isinstance(item, Mapping) and item.get("key"):
                where = (*path, field, "items", index, "key")
                yield Reference(kind, str(named[name]), str(item["key"]), optional, where, "volume")


def _named(data: Mapping[str, Any], field: str) -> bool:
    return isinstance(data.get(field), str) and bool(data[field])


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
