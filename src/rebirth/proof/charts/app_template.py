"""The chart `app-template`, which most home clusters use for most of what they run: its values describe the objects nearly as
they are, so what others may need, and what its pods read, can be told from them. What holds a template that is more than
the release's name is left out.
"""

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
                yield self._object(
                    "v1", kind, self._named(key, entry, alone=len(entries) == 1), (field, key), data=data
                )
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
        if override := entry.get("forceRename"):
            return str(self._rendered(override))
        suffix = entry.get("suffix") or entry.get("nameOverride") or ("" if alone else key)
        return f"{self.fullname}-{suffix}" if suffix else self.fullname

    def _object(
        self, version: str, kind: str, name: str, values_path: _Path, *,
        written: Mapping[_Path, _Path] | None = None, **fields: Any,
    ) -> Manifest:  # fmt: skip
        data = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": self.namespace}, **fields}
        prefix: _Path = ("spec", "values", *values_path)
        # What is no value of its own (metadata, selectors) stands nowhere: the line of the entry is reported for it.
        return Manifest(
            data,
            self.own.file,
            self.own.line,
            prefix,
            written={path: (*prefix, *to) for path, to in (written or {}).items()},
        )

    def _controller(self, key: str, controller: Mapping[str, Any]) -> Manifest:
        kind = _KINDS.get(str(controller.get("type") or "deployment").lower(), "Deployment")
        name = self._named(key, controller, alone=len(self.controllers) == 1)
        pods: _Path = ("spec", "jobTemplate", "spec", "template") if kind == "CronJob" else ("spec", "template")
        written: dict[_Path, _Path] = {}
        spec: dict[str, Any] = {"volumes": list(self._volumes(key))}
        for field, part in (("initContainers", "initContainers"), ("containers", "containers")):
            spec[field] = []
            for index, (inner, container) in enumerate(_enabled(controller.get(part))):
                spec[field].append(self._container(inner, container))
                written[*pods, "spec", field, index] = (part, inner)
        template = {"metadata": {"labels": {releases.MADE_UP: key, **_mapping(controller.get("labels"))}}, "spec": spec}
        body: dict[str, Any] = {"template": template}
        if kind == "CronJob":
            body = {"jobTemplate": {"spec": body}}
        elif isinstance(replicas := controller.get("replicas"), int):
            body["replicas"] = replicas
        version = "batch/v1" if kind in {"CronJob", "Job"} else "apps/v1"
        return self._object(version, kind, name, ("controllers", key), written=written, spec=body)

    def _container(self, name: str, container: Mapping[str, Any]) -> Mapping[str, Any]:
        image = _mapping(container.get("image"))
        made: dict[str, Any] = {"name": name, "image": f"{image.get('repository', '')}:{image.get('tag', '')}"}
        made["env"] = list(self._environment(container.get("env")))
        made["envFrom"] = [
            self._rendered(source)
            for source in container.get("envFrom") or ()
            if isinstance(source, Mapping) and "{{" not in str(self._rendered(source))
        ]
        return made

    def _environment(self, env: object) -> Iterator[Mapping[str, Any]]:
        entries = env if isinstance(env, list) else [
            {"name": key, **(item if isinstance(item, Mapping) else {"value": item})} for key, item in _mapping(env).items()
        ]  # fmt: skip
        for entry in entries:
            if not isinstance(entry, Mapping):
                continue
            source = _mapping(entry.get("valueFrom")) or {
                field: entry[field] for field in ("secretKeyRef", "configMapKeyRef") if field in entry
            }
            if source and "{{" not in str(rendered := self._rendered(source)):
                yield {"name": str(entry.get("name")), "valueFrom": rendered}

    def _volumes(self, controller: str) -> Iterator[Mapping[str, Any]]:
        """What is mounted by that controller, or by all."""
        for key, volume in _enabled(self.values.get("persistence")):
            mounts = _mapping(volume.get("advancedMounts"))
            if mounts and controller not in mounts and not volume.get("globalMounts"):
                continue
            kind = str(volume.get("type") or "persistentVolumeClaim")
            name = self._rendered(volume.get("name"))
            optional = {"optional": True} if volume.get("optional") is True else {}
            if kind == "persistentVolumeClaim":
                claim = self._rendered(volume.get("existingClaim")) or self._claim_name(key, volume)
                source: Mapping[str, Any] = {"persistentVolumeClaim": {"claimName": claim}}
            elif kind == "secret" and isinstance(name, str):
                source = {"secret": {"secretName": name, **optional}}
            elif kind == "configMap" and isinstance(name, str):
                source = {"configMap": {"name": name, **optional}}
            else:
                continue
            if "{{" not in str(source):
                yield {"name": key, **source}

    def _claim_name(self, key: str, volume: Mapping[str, Any]) -> str:
        claims = [
            one for one, entry in _enabled(self.values.get("persistence"))
            if entry.get("type", "persistentVolumeClaim") == "persistentVolumeClaim" and not entry.get("existingClaim")
        ]  # fmt: skip
        return self._named(key, volume, alone=len(claims) == 1)

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
