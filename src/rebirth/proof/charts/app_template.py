"""The chart `app-template`, which most home clusters use for most of what they run: its values describe the objects nearly as
they are, so what others may need, and what its pods read, can be told from them. What holds a template that is more than
the release's name is left out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import releases
from rebirth.proof.charts.known_charts import fullname
from rebirth.proof.charts.releases import ChartSource, Values
from rebirth.proof.reading.manifest import Manifest

_KINDS = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "cronjob": "CronJob",
    "job": "Job",
}
_Path = tuple[str | int, ...]
_CLAIM = "persistentVolumeClaim"
_NAMES = {_CLAIM: "claimName", "secret": "secretName", "configMap": "name"}  # the field of a volume that names it
_OF_THE_HOST = ("hostNetwork", "hostPID", "hostIPC")  # fields of a pod that pod security looks at
_ALONE_SINCE = 4  # major version of the chart since which what is the only one of its kind has the release's name alone


def is_one(chart: ChartSource) -> bool:
    return chart.name == "app-template"


def objects(own: Manifest, chart: ChartSource, values: Values) -> list[Manifest]:
    """What a release of it makes."""
    return list(_Chart(own, chart, values).objects())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _enabled(entries: object) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (str(key), entry)
        for key, entry in _mapping(entries).items()
        if isinstance(entry, Mapping) and entry.get("enabled") is not False
    ]


class _Chart:
    def __init__(self, own: Manifest, chart: ChartSource, values: Values) -> None:
        self.own, self.chart, self.values = own, chart, values.data
        self.release, self.namespace = releases.release_name(own), releases.target_namespace(own)
        self.fullname = fullname(self.release, self.release, self.values)
        self.controllers = _enabled(self.values.get("controllers"))
        major = re.search(r"\d+", chart.version)
        self.numbered = major is not None and int(major[0]) < _ALONE_SINCE

    def objects(self) -> Iterator[Manifest]:
        for key, controller in self.controllers:
            yield self._controller(key, controller)
        services = _enabled(self.values.get("service"))
        for key, service in services:
            yield self._service(key, service, alone=len(services) == 1)
        for key, volume in _enabled(self.values.get("persistence")):
            if volume.get("type", "persistentVolumeClaim") == "persistentVolumeClaim" and not volume.get(
                "existingClaim"
            ):
                yield self._claim(key, volume)
        for field, kind in (("configMaps", "ConfigMap"), ("secrets", "Secret")):
            entries = _enabled(self.values.get(field))
            for key, entry in entries:
                data = {**_mapping(entry.get("data")), **_mapping(entry.get("stringData"))}
                name = self._named(key, entry, alone=len(entries) == 1 and not self.numbered)
                made = self._object("v1", kind, name, (field, key), data=data)
                yield self._misread(made, f"{self.fullname}-{key}")
        for key, _ in _enabled(self.values.get("serviceMonitor")):
            yield self._object(
                "monitoring.coreos.com/v1", "ServiceMonitor", f"{self.fullname}-{key}", ("serviceMonitor", key)
            )
        for key, route in _enabled(self.values.get("route")):
            kind = str(route.get("kind") or "HTTPRoute")
            spec = {
                "parentRefs": route.get("parentRefs") or [],
                "hostnames": self._rendered(route.get("hostnames") or []),
            }
            yield self._object(
                "gateway.networking.k8s.io/v1", kind, f"{self.fullname}-{key}", ("route", key), spec=spec
            )

    def _rendered(self, value: Any) -> Any:
        """Templates of the release's own name and namespace, filled in."""
        if isinstance(value, str):
            for name, text in (("Name", self.release), ("Namespace", self.namespace)):
                value = value.replace(f"{{{{ .Release.{name} }}}}", text).replace(f"{{{{.Release.{name}}}}}", text)
            return value
        if isinstance(value, Mapping):
            return {key: self._rendered(item) for key, item in value.items()}
        return [self._rendered(item) for item in value] if isinstance(value, list) else value

    def _named(self, key: str, entry: Mapping[str, Any], *, alone: bool) -> str:
        """As the chart's library names it (bjw-s common 4 and 5, `determineResourceNameFromValues`)."""
        if override := entry.get("forceRename"):
            return str(self._rendered(override)).lower()
        name = self.fullname
        if (prefix := str(self._rendered(entry.get("prefix") or ""))) and prefix != name:
            name = f"{prefix}-{name}"
        always = _mapping(self.values.get("global")).get("alwaysAppendIdentifierToResourceName") is True
        own = entry.get("nameOverride")  # until version 3, instead of what tells it apart
        for part in (own or ("" if alone and not always else key), entry.get("suffix") or ""):
            text = str(self._rendered(part))
            if text and name != text and not name.endswith(f"-{text}"):
                name = f"{name}-{text}"
        return name.lower()

    def _misread(self, made: Manifest, name: str) -> Manifest:
        """With the name by which its values may lead one to call it, where the chart gives another."""
        if made.name == name or "{{" in name:
            return made
        metadata = {**made.data["metadata"], "annotations": {releases.NOT_NAMED: name}}
        return Manifest({**made.data, "metadata": metadata}, made.file, made.line, made.prefix, written=made.written)

    def _object(
        self, version: str, kind: str, name: str, values_path: _Path, *,
        written: Mapping[_Path, _Path] | None = None, beyond: Mapping[_Path, _Path] | None = None, **fields: Any,
    ) -> Manifest:  # fmt: skip
        data = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": self.namespace}, **fields}
        prefix: _Path = ("spec", "values", *values_path)
        # What is no value of its own (metadata, selectors) stands nowhere: the line of the entry is reported for it.
        return Manifest(
            data,
            self.own.file,
            self.own.line,
            prefix,
            written={path: (*prefix, *to) for path, to in (written or {}).items()}
            | {path: ("spec", "values", *to) for path, to in (beyond or {}).items()},
        )

    def _controller(self, key: str, controller: Mapping[str, Any]) -> Manifest:
        kind = _KINDS.get(str(controller.get("type") or "deployment").lower(), "Deployment")
        name = self._named(key, controller, alone=len(self.controllers) == 1)
        pods: _Path = ("spec", "jobTemplate", "spec", "template") if kind == "CronJob" else ("spec", "template")
        written: dict[_Path, _Path] = {}
        beyond: dict[_Path, _Path] = {}  # in the values, beside the controllers
        options = {**_mapping(self.values.get("defaultPodOptions")), **_mapping(controller.get("pod"))}
        spec: dict[str, Any] = {"volumes": [], **{field: options[field] for field in _OF_THE_HOST if field in options}}
        usual = _mapping(controller.get("defaultContainerOptions")).get("securityContext")
        for field, part in (("initContainers", "initContainers"), ("containers", "containers")):
            spec[field] = []
            for index, (inner, container) in enumerate(_enabled(controller.get(part))):
                spec[field].append(self._container(inner, {"securityContext": usual, **container}))
                at = (*pods, "spec", field, index)
                written[at] = (part, inner)
                for number, (path, _) in enumerate(self._environment(container.get("env"))):
                    written[*at, "env", number] = (part, inner, "env", path[0])
                    written[*at, "env", number, "valueFrom"] = (part, inner, "env", *path)
        for index, (volume, source) in enumerate(self._volumes(key)):
            spec["volumes"].append({"name": volume, **source})
            for field in source:
                at = (*pods, "spec", "volumes", index, field)
                beyond[at] = ("persistence", volume)
                if field in _NAMES:
                    beyond[*at, _NAMES[field]] = ("persistence", volume, "existingClaim" if field == _CLAIM else "name")
        template = {"metadata": {"labels": {releases.MADE_UP: key, **_mapping(controller.get("labels"))}}, "spec": spec}
        body: dict[str, Any] = {"template": template}
        if kind == "CronJob":
            body = {"jobTemplate": {"spec": body}}
        elif isinstance(replicas := controller.get("replicas"), int):
            body["replicas"] = replicas
        version = "batch/v1" if kind in {"CronJob", "Job"} else "apps/v1"
        return self._object(version, kind, name, ("controllers", key), written=written, beyond=beyond, spec=body)

    def _container(self, name: str, container: Mapping[str, Any]) -> Mapping[str, Any]:
        image = _mapping(container.get("image"))
        made: dict[str, Any] = {"name": name, "image": f"{image.get('repository', '')}:{image.get('tag', '')}"}
        made["env"] = [entry for _, entry in self._environment(container.get("env"))]
        made["envFrom"] = [
            self._rendered(source)
            for source in container.get("envFrom") or ()
            if isinstance(source, Mapping) and "{{" not in str(self._rendered(source))
        ]
        if (context := _mapping(container.get("securityContext"))) and "{{" not in str(context):
            made["securityContext"] = context
        return made

    def _environment(self, env: object) -> Iterator[tuple[_Path, Mapping[str, Any]]]:
        """Variables out of Secrets and ConfigMaps, and where among `env` each says from which: a list, or a mapping by name."""
        entries: list[tuple[str | int, Any]] = (
            list(enumerate(env)) if isinstance(env, list) else [(str(key), item) for key, item in _mapping(env).items()]
        )
        for at, entry in entries:
            if not isinstance(entry, Mapping):
                continue
            nested = _mapping(entry.get("valueFrom"))
            source = nested or {field: entry[field] for field in ("secretKeyRef", "configMapKeyRef") if field in entry}
            if source and "{{" not in str(rendered := self._rendered(source)):
                name = at if isinstance(at, str) else entry.get("name")
                yield (at, "valueFrom") if nested else (at,), {"name": str(name), "valueFrom": rendered}

    def _volumes(self, controller: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """What is mounted by that controller, or by all: its key among the values, and its source."""
        for key, volume in _enabled(self.values.get("persistence")):
            mounts = _mapping(volume.get("advancedMounts"))
            if mounts and controller not in mounts and not volume.get("globalMounts"):
                continue
            kind = str(volume.get("type") or "persistentVolumeClaim")
            name = self._rendered(volume.get("name"))
            optional = {"optional": True} if volume.get("optional") is True else {}
            if kind == "persistentVolumeClaim":
                claim = self._rendered(volume.get("existingClaim")) or self._claim_name(key, volume)
                source: Mapping[str, Any] = {_CLAIM: {"claimName": claim}}
            elif kind == "secret" and isinstance(name, str):
                source = {"secret": {"secretName": name, **optional}}
            elif kind == "configMap" and isinstance(name, str):
                source = {"configMap": {"name": name, **optional}}
            elif kind == "hostPath" and isinstance(path := volume.get("hostPath"), str):
                source = {"hostPath": {"path": path}}
            else:
                continue
            if "{{" not in str(source):
                yield key, source

    def _claim_name(self, key: str, volume: Mapping[str, Any]) -> str:
        claims = [
            one for one, entry in _enabled(self.values.get("persistence"))
            if entry.get("type", "persistentVolumeClaim") == "persistentVolumeClaim" and not entry.get("existingClaim")
        ]  # fmt: skip
        return self._named(key, volume, alone=len(claims) == 1 and not self.numbered)

    def _claim(self, key: str, volume: Mapping[str, Any]) -> Manifest:
        spec: dict[str, Any] = {"accessModes": [volume.get("accessMode", "ReadWriteOnce")]}
        if volume.get("storageClass"):
            spec["storageClassName"] = self._rendered(volume["storageClass"])
        written: dict[_Path, _Path] = {("spec", "storageClassName"): ("storageClass",)}
        name = self._claim_name(key, volume)
        return self._object("v1", "PersistentVolumeClaim", name, ("persistence", key), written=written, spec=spec)

    def _service(self, key: str, service: Mapping[str, Any], *, alone: bool) -> Manifest:
        only = self.controllers[0][0] if self.controllers else ""
        spec: dict[str, Any] = {"selector": {releases.MADE_UP: str(service.get("controller") or only)}}
        if kind := service.get("type"):
            spec["type"] = str(kind)
        metadata = {"annotations": self._rendered(_mapping(service.get("annotations")))}
        made = self._object("v1", "Service", self._named(key, service, alone=alone), ("service", key), spec=spec)
        data = {**made.data, "metadata": {**made.data["metadata"], **metadata}}
        return Manifest(
            data,
            made.file,
            made.line,
            made.prefix,
            written={("metadata", "annotations"): (*made.prefix, "annotations")},
        )
