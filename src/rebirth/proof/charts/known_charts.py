"""The objects of a chart that is known (`sources.knowledge`), as if it had been rendered: so that whatever reads manifests
reads them, too. They hold what others may need, and nothing else.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rebirth.proof.charts import releases
from rebirth.proof.charts.knowledge import Name, Operator, Webhook, When, Workload, fill, value_at
from rebirth.proof.charts.releases import ChartSource, Values
from rebirth.proof.reading import scopes
from rebirth.proof.reading.manifest import Manifest

_Path = tuple[str | int, ...]


def objects(known: Operator, own: Manifest, chart: ChartSource, values: Values) -> list[Manifest]:
    """What the release of a known chart makes."""
    found = _Chart(known, own, chart, values)
    made = [
        Manifest(
            data, own.file, own.line, _written(data, own) or chart.place.path,
            written=found.named.get((str(data["kind"]), str(data["metadata"]["name"])), {}),
        )
        for data in found.objects()
    ]  # fmt: skip
    return made + list(found.certificates())


def _written(data: Mapping[str, Any], own: Manifest) -> tuple[str | int, ...]:
    """Where the release switches the object on; () where it does not, or elsewhere."""
    switch = (data["metadata"].get("annotations") or {}).get(releases.SWITCH)
    path = ("spec", "values", *switch.split(".")) if switch else ()
    return path if path and own.at(*path) is not None else ()


def secrets(known: Operator, own: Manifest, chart: ChartSource, values: Values) -> set[str]:
    """The Secrets without which the pods of a known chart do not start, and that have to come from elsewhere."""
    found = _Chart(known, own, chart, values)
    return {one.name for workload in known.workloads for one in found.needed(workload)}


def fullname(release: str, chart: str, values: Mapping[str, Any]) -> str:
    """The name that most charts give to what they make."""
    if override := value_at(values, "fullnameOverride"):
        return str(override)[:63].rstrip("-")
    name = str(value_at(values, "nameOverride") or chart)
    return (release if name in release else f"{release}-{name}")[:63].rstrip("-")


class _Needed(NamedTuple):
    """A Secret that pods do not start without, and the value of the release that names it; () where none does."""

    name: str
    keys: tuple[str, ...]
    path: tuple[str, ...]


class _Chart:
    def __init__(self, known: Operator, own: Manifest, chart: ChartSource, values: Values) -> None:
        self.known, self.own, self.chart, self.values = known, own, chart, values
        self.namespace = releases.target_namespace(own)
        release = releases.release_name(own)
        self.context: Mapping[str, Any] = {
            "release": release,
            "namespace": self.namespace,
            "fullname": fullname(release, chart.name, values.data),
            "values": values.data,
        }
        # Of workloads, by kind and name: what in them is named by values, and by which.
        self.named: dict[tuple[str, str], Mapping[_Path, _Path]] = {}

    def objects(self) -> Iterator[Mapping[str, Any]]:
        yield from self._crds()
        for workload in self.known.workloads:
            if self._maybe(workload.when):
                yield from self._workload(workload)
        for secret in self._named(self.known.secrets):
            yield self._object("v1", "Secret", secret[0], self.namespace, data=dict.fromkeys(secret[1].keys, ""))
        for name, _ in self._named(self.known.ingress_classes):
            yield self._object("networking.k8s.io/v1", "IngressClass", name, spec={"controller": self.known.name})
        for name, named in self._named(self.known.storage_classes):
            provisioner = next(iter(self.known.provisioners), self.known.name)
            is_default = named.default and value_at(self.values.data, named.default) is not False
            annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if is_default else None
            yield self._object("storage.k8s.io/v1", "StorageClass", name, "", annotations, provisioner=provisioner)
        yield from self._resources()
        for webhook in self.known.webhooks:
            if not webhook.runtime and self._surely(webhook.when) and (found := self._webhook(webhook)):
                yield found

    def certificates(self) -> Iterator[Manifest]:
        """Certificates whose issuer the release's values name; it is found where they do."""
        for certificate in self.known.certificates:
            issuer = value_at(self.own.at("spec", "values"), certificate.issuer)
            if not self._surely(certificate.when) or not isinstance(issuer, Mapping):
                continue
            spec = {"secretName": self._name(certificate.secret), "issuerRef": dict(issuer)}
            data = self._object(
                "cert-manager.io/v1", "Certificate", self._name(certificate.name), self.namespace, spec=spec
            )
            path: tuple[str | int, ...] = ("spec", "values", *certificate.issuer.split("."))
            written: Mapping[tuple[str | int, ...], tuple[str | int, ...]] = {("spec", "issuerRef"): path}
            yield Manifest(data, self.own.file, self.own.line, self.chart.place.path, written=written)

    def _resources(self) -> Iterator[Mapping[str, Any]]:
        for named in self.known.resources:
            group, _, kind = named.kind.rpartition("/")
            for name in fill(named.name, self.context) if self._surely(named.when) else ():
                space = "" if kind in scopes.CUSTOM else self.namespace
                notes = {releases.SWITCH: next(iter((*named.all_of[::-1], *named.only_if)), "")}
                if named.left_out:
                    notes[releases.LEFT_OUT] = "true"
                controller = next(iter(self.known.gateway_controllers), "") if kind == "GatewayClass" else ""
                spec = {"spec": {"controllerName": controller}} if controller else {}
                yield self._object(f"{group}/v1", kind, name, space, notes, **spec)

    def _maybe(self, when: When) -> bool:
        """What others may need is taken as there where that is not known."""
        return when.holds(self.values.data, self.chart.version, whole=self.values.whole) is not False

    def _surely(self, when: When) -> bool:
        """What asks for something is only taken as there where that is known."""
        return when.holds(self.values.data, self.chart.version, whole=self.values.whole) is True

    def _named(self, names: tuple[Name, ...]) -> Iterator[tuple[str, Name]]:
        for named in names:
            if self._maybe(named.when):
                for name in fill(named.name, self.context):
                    yield name, named

    def _name(self, template: str) -> str:
        return next(fill(template, self.context), "")

    def _object(
        self, version: str, kind: str, name: str, namespace: str = "", annotations: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Mapping[str, Any]:  # fmt: skip
        metadata: dict[str, Any] = {"name": name}
        if namespace:
            metadata["namespace"] = namespace
        if annotations:
            metadata["annotations"] = annotations
        return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}

    def _crds(self) -> Iterator[Mapping[str, Any]]:
        skipped = self.own.at("spec", "install", "crds") == "Skip"
        for crds in self.known.crds:
            if not self._maybe(crds.when) or (crds.folder and skipped):
                continue
            annotations = {releases.FOLDER: "true"} if crds.folder else None
            versions = [{"name": one.name, "served": True} for one in crds.versions if self._maybe(one.when)]
            for kind in crds.kinds:
                plural = scopes.plural(kind)
                yield self._object(
                    "apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.{crds.group}", "", annotations,
                    spec={"group": crds.group, "names": {"kind": kind, "plural": plural}, "versions": versions},
                )  # fmt: skip

    def _workload(self, workload: Workload) -> Iterator[Mapping[str, Any]]:
        name = self._name(workload.name)
        if not name:
            return
        labels = {releases.MADE_UP: name, **workload.labels}
        for service, named in self._named(workload.services):
            spec: dict[str, Any] = {"selector": {releases.MADE_UP: name}}
            if named.type:
                spec["type"] = self._name(named.type)
            yield self._object("v1", "Service", service, self.namespace, spec=spec)
        needed = list(self.needed(workload))
        volumes: list[dict[str, Any]] = [
            {"name": f"secret-{index}", "secret": {"secretName": one.name, "items": [{"key": key} for key in one.keys]}}
            for index, one in enumerate(needed)
        ]
        if workload.host_path:
            volumes.append({"name": "host", "hostPath": {"path": "/"}})
        self.named[workload.kind, name] = {
            ("spec", "template", "spec", "volumes", index, "secret"): one.path
            for index, one in enumerate(needed) if one.path
        }  # fmt: skip
        annotations = {releases.OPERATOR: self.known.name} if workload is self.known.workloads[0] else {}
        container: dict[str, Any] = {"name": name, "image": workload.image}
        if workload.privileged:
            container["securityContext"] = {"privileged": True}
        pod: dict[str, Any] = {"containers": [container], "volumes": volumes}
        if workload.host_network:
            pod["hostNetwork"] = True
        template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod}
        yield self._object(
            "apps/v1", workload.kind, name, self.namespace,
            spec={"selector": {"matchLabels": {releases.MADE_UP: name}}, "template": template},
        )  # fmt: skip

    def needed(self, workload: Workload) -> Iterator[_Needed]:
        for secret in workload.secrets:
            if not self._surely(secret.when):
                continue
            keys = tuple(text for key in secret.keys for text in fill(key, self.context))
            for name in fill(secret.name, self.context):
                paths = (("spec", *path.split(".")) for path in secret.name.strip("{}").split("|"))
                yield _Needed(name, keys, next((path for path in paths if self.own.at(*path) == name), ()))

    def _webhook(self, webhook: Webhook) -> Mapping[str, Any] | None:
        policy = str(value_at(self.values.data, webhook.policy) or "") if webhook.policy else ""
        if webhook.policy and not policy and not self.values.whole:
            return None
        return webhook_configuration(webhook, self.namespace, self._name(webhook.service), self.context, policy)


def webhook_configuration(
    webhook: Webhook, namespace: str, service: str, context: Mapping[str, Any], policy: str = ""
) -> Mapping[str, Any]:
    """The configuration of a known webhook, by kinds instead of plural names."""
    expressions = [
        {"key": "kubernetes.io/metadata.name", "operator": operator, "values": names}
        for operator, names in (
            ("In", [name for one in webhook.namespaces.only for name in fill(one, context)]),
            ("NotIn", [name for one in webhook.namespaces.but for name in fill(one, context)]),
        )
        if names
    ]
    rules = [
        {
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": list(webhook.operations),
            "rebirth/kinds": list(kinds),
        }
        for group, kinds in webhook.kinds.items()
    ]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration" if webhook.mutating else "ValidatingWebhookConfiguration",
        "metadata": {"name": webhook.name},
        "webhooks": [
            {
                "name": webhook.name,
                "failurePolicy": policy or ("Fail" if webhook.fails else "Ignore"),
                "clientConfig": {"service": {"namespace": namespace, "name": service}},
                "rules": rules,
                "namespaceSelector": {"matchExpressions": expressions},
            }
        ],
    }
