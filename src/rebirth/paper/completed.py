"""Objects that the proof knows of a release, completed to what an API server takes.

The proof holds what others may need, and nothing else; what the API server asks for besides is put in here. What is there
stays as it is, so that whole objects come out as they went in.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from rebirth.paper.definitions import Versions, definition
from rebirth.paper.serving.admission import bundle
from rebirth.paper.written import plain
from rebirth.proof.charts.releases import MADE_UP
from rebirth.proof.reading import scopes

Object = Mapping[str, Any]

IMAGE = "on-paper"  # of containers whose image is not known
_OURS = "rebirth/"  # how the proof's own labels and annotations begin
_KINDS = "rebirth/kinds"  # in a webhook's rules: kinds instead of resources
_INSTANCE, _CONTROLLER = "app.kubernetes.io/instance", "app.kubernetes.io/controller"
_TYPES = {"ClusterIP", "NodePort", "LoadBalancer"}
_YEARLY = "0 0 1 1 *"
_PORTS = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]


@dataclass(frozen=True)
class Completion:
    """For the objects of one release. `authority`: the PEM of whoever signs the certificates of webhooks."""

    release: str
    versions: Versions
    authority: str

    def of(self, item: Object) -> dict[str, Any]:
        public: dict[str, Any] = plain(self._public(item))
        complete = self._by_kind.get(str(item.get("kind")))
        return complete(public) if complete else public

    def _public(self, value: Any) -> Any:
        """Without the proof's own marks; pods that stand for others have labels as most charts write them."""
        if isinstance(value, list):
            return [self._public(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        found = {k: self._public(v) for k, v in value.items() if not str(k).startswith(_OURS) or k == _KINDS}
        if MADE_UP in value:
            found |= {_INSTANCE: self.release, _CONTROLLER: value[MADE_UP]}
        return found

    @property
    def _by_kind(self) -> Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "CustomResourceDefinition": lambda item: definition(item, self.versions),
            "Deployment": self._workload,
            "StatefulSet": self._workload,
            "DaemonSet": self._workload,
            "Job": _job,
            "CronJob": _cron_job,
            "Service": _service,
            "PersistentVolumeClaim": _claim,
            "ConfigMap": _config_map,
            "Secret": _secret,
            "IngressClass": _ingress_class,
            "ServiceMonitor": _service_monitor,
            "MutatingWebhookConfiguration": self._webhooks,
            "ValidatingWebhookConfiguration": self._webhooks,
        }

    def _workload(self, item: dict[str, Any]) -> dict[str, Any]:
        spec = _part(item, "spec")
        selector = _part(spec, "selector")
        template = _part(spec, "template")
        labels = _part(_part(template, "metadata"), "labels")
        if not selector.get("matchExpressions"):
            said = selector.get("matchLabels") or {k: labels[k] for k in (_INSTANCE, _CONTROLLER) if k in labels}
            selector["matchLabels"] = said or {_INSTANCE: self.release, _CONTROLLER: str(item["metadata"]["name"])}
            template["metadata"]["labels"] = {**labels, **selector["matchLabels"]}
        _pods(template)
        return item

    def _webhooks(self, item: dict[str, Any]) -> dict[str, Any]:
        for webhook in item.get("webhooks") or ():
            webhook.setdefault("sideEffects", "None")
            webhook.setdefault("admissionReviewVersions", ["v1"])
            if webhook.get("failurePolicy") not in {"Fail", "Ignore"}:
                webhook["failurePolicy"] = "Fail"
            client = _part(webhook, "clientConfig")
            client.setdefault("caBundle", bundle(self.authority))
            for rule in webhook.get("rules") or ():
                kinds = rule.pop(_KINDS, None)
                if kinds is not None:
                    rule["resources"] = [kind if kind == "*" else scopes.plural(kind) for kind in kinds]
        return item


def _part(item: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping under that key, which is put there where there is none."""
    if not isinstance(item.get(key), dict):
        item[key] = {}
    found: dict[str, Any] = item[key]
    return found


def _pods(template: dict[str, Any]) -> None:
    spec = _part(template, "spec")
    if not spec.get("containers"):
        spec["containers"] = [{"name": "main", "image": IMAGE}]
    for container in (*spec["containers"], *(spec.get("initContainers") or ())):
        if not str(container.get("image") or "").strip(":"):
            container["image"] = IMAGE
    for volume in spec.get("volumes") or ():
        for source in ("secret", "configMap"):
            for entry in (volume.get(source) or {}).get("items") or ():
                entry.setdefault("path", entry.get("key"))


def _job(item: dict[str, Any]) -> dict[str, Any]:
    template = _part(_part(item, "spec"), "template")
    _pods(template)
    template["spec"].setdefault("restartPolicy", "Never")
    return item


def _cron_job(item: dict[str, Any]) -> dict[str, Any]:
    spec = _part(item, "spec")
    spec.setdefault("schedule", _YEARLY)
    _job(_part(spec, "jobTemplate"))
    return item


def _service(item: dict[str, Any]) -> dict[str, Any]:
    spec = _part(item, "spec")
    if spec.get("type") not in {*_TYPES, None} and not spec.get("externalName"):
        del spec["type"]
    if not spec.get("ports") and spec.get("type") != "ExternalName":
        spec["ports"] = [dict(port) for port in _PORTS]
    return item


def _claim(item: dict[str, Any]) -> dict[str, Any]:
    spec = _part(item, "spec")
    spec.setdefault("accessModes", ["ReadWriteOnce"])
    _part(_part(spec, "resources"), "requests").setdefault("storage", "1Gi")
    return item


def _text(value: Any) -> str:
    return value if isinstance(value, str) else yaml.safe_dump(value, sort_keys=False)


def _config_map(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("data"):
        item["data"] = {str(key): _text(value) for key, value in item["data"].items()}
    return item


def _secret(item: dict[str, Any]) -> dict[str, Any]:
    """What is no base64 is a text as a chart's values say it."""
    said = item.get("data") or {}
    plain = {key: _text(value) for key, value in said.items() if not _is_base64(value)}
    if plain:
        item["data"] = {key: value for key, value in said.items() if key not in plain}
        item["stringData"] = {**plain, **(item.get("stringData") or {})}
    return item


def _is_base64(value: object) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except ValueError:
        return False


def _ingress_class(item: dict[str, Any]) -> dict[str, Any]:
    """The API server asks for a name that begins with a domain."""
    spec = _part(item, "spec")
    if "/" not in str(spec.get("controller") or ""):
        spec["controller"] = f"paper.internal/{spec.get('controller') or 'none'}"
    return item


def _service_monitor(item: dict[str, Any]) -> dict[str, Any]:
    spec = _part(item, "spec")
    spec.setdefault("selector", {})
    spec.setdefault("endpoints", [])
    return item
