"""Whether what came is a Kubernetes object, as far as the product looks into any: a proxy may change what it passes on.

A shape is a type; a list of one shape; or a mapping of fields to shapes, in which `...` stands for every field. A field may be
missing or null, unless its name ends in `!`.
"""

from typing import Any

Shape = Any
_REFERENCE = {"apiVersion": str, "kind": str, "namespace": str, "name": str}
_NAMED = {**_REFERENCE, "name!": str}
_VALUES_OF = {**_NAMED, "kind!": str}
_EACH = {...: str}
_METADATA = {
    "name!": str, "namespace": str, "generation": int, "labels": _EACH, "annotations": _EACH,
    "ownerReferences": [{"kind!": str, "name!": str}],
}  # fmt: skip
_CONDITION = {"type!": str, "status!": str, "message": str, "reason": str, "observedGeneration": int}
_COUNTED = dict.fromkeys(
    ("replicas", "availableReplicas", "updatedReplicas", "observedGeneration", "desiredNumberScheduled",
     "numberAvailable", "updatedNumberScheduled"), int,
)  # fmt: skip
_OBJECT = {"metadata!": _METADATA, "spec": _COUNTED, "status": {**_COUNTED, "conditions": [_CONDITION]}}

_SOURCE = {"spec": {"secretRef": _NAMED, "certSecretRef": _NAMED}}
_MOUNTED = {"secret": {"secretName": str, "name": str}, "configMap": {"name": str}}
_POD = {
    "nodeName": str,
    "containers": [{"name!": str, "image": str, "args": [str]}],
    "imagePullSecrets": [_REFERENCE],
    "volumes": [{**_MOUNTED, "persistentVolumeClaim": {"claimName": str}, "projected": {"sources": [_MOUNTED]}}],
}
_CONTAINER = {
    "name!": str,
    "state": {"waiting": {"reason": str, "message": str}},
    "lastState": {"terminated": {"message": str}},
}
_TEMPLATE = {"metadata": {"labels": _EACH}, "spec": {}}
_WORKLOAD = {"spec": {"selector": {"matchLabels": _EACH}, "template": _TEMPLATE}}
_ISSUED = {"spec": {"issuerRef": _REFERENCE}}
_STORED = {"secretKey": str, "remoteRef": {"key": str, "property": str}, "sourceRef": {"storeRef": _REFERENCE}}
_HOOKS = {"webhooks": [{"clientConfig": {"service": _REFERENCE}}]}
_DATA = {"data": _EACH}
_OF_KIND: dict[str, Shape] = {
    **dict.fromkeys(("Secret", "ConfigMap"), _DATA),
    **dict.fromkeys(("GitRepository", "OCIRepository", "HelmRepository", "Bucket"), _SOURCE),
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "Job"), _WORKLOAD),
    **dict.fromkeys(("Certificate", "CertificateRequest"), _ISSUED),
    **dict.fromkeys(("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"), _HOOKS),
    "Kustomization": {
        "spec!": {
            "dependsOn": [_NAMED], "healthChecks": [_REFERENCE], "sourceRef": _NAMED, "decryption": {"secretRef": _NAMED},
            "postBuild": {"substituteFrom": [_VALUES_OF]},
        },
        "status": {"inventory": {"entries": [{"id!": str}]}},
    },
    "HelmRelease": {
        "spec!": {
            "dependsOn": [_NAMED], "chartRef": _NAMED, "chart": {"spec": {"sourceRef": _NAMED}}, "valuesFrom": [_VALUES_OF],
        },
    },
    "HelmChart": {"spec": {"sourceRef": _NAMED}},
    "Pod": {
        "spec": _POD,
        "status": {
            "phase": str, "message": str, "reason": str,
            "initContainerStatuses": [_CONTAINER], "containerStatuses": [_CONTAINER],
        },
    },
    "PersistentVolumeClaim": {"spec": {"storageClassName": str}, "status": {"phase": str}},
    "Service": {"spec": {"selector": _EACH, "clusterIP": str, "clusterIPs": [str]}},
    "Ingress": {"spec": {"rules": [{"host": str}]}},
    "HTTPRoute": {"spec": {"hostnames": [str]}},
    "DNSEndpoint": {"spec": {"endpoints": [{"dnsName": str}]}},
    "APIService": {"spec": {"service": _REFERENCE}},
    "Event": {"involvedObject": _REFERENCE, "message": str, "reason": str, "type": str},
    "ExternalSecret": {
        "metadata!": {"namespace!": str},
        "spec!": {
            "secretStoreRef": _REFERENCE, "refreshPolicy": str, "refreshInterval": str,
            "data": [{**_STORED, "secretKey!": str}], "dataFrom": [_STORED],
            "target": {"name": str, "creationPolicy": str, "template": {"templateFrom": [{}]}},
        },
    },
}  # fmt: skip


def shaped(item: Any, kind: str) -> dict[str, Any]:
    """The object, which was asked for as one of that kind. Raises LookupError or TypeError where it is none."""
    _fit(item, _OBJECT)
    _fit(item, _OF_KIND.get(kind, {}))
    _name(item["metadata"]["name"])
    _name(item["metadata"].get("namespace") or "")
    return dict(item)


def listed(entry: Any) -> dict[str, Any]:
    """An entry of the API server's list of what it serves. Raises LookupError or TypeError where it is none."""
    _fit(entry, {"kind!": str, "name!": str, "namespaced!": bool})
    _name(entry["kind"])
    for part in entry["name"].split("/"):  # status, scale: of what stands before them
        _name(part)
    return dict(entry)


def _name(name: str) -> None:
    """It becomes a part of an address."""
    if not name.isprintable() or "/" in name:
        raise TypeError


def _fit(value: Any, shape: Shape) -> None:
    if isinstance(shape, list):
        _is(value, list)
        for one in value:
            _fit(one, shape[0])
    elif isinstance(shape, dict):
        _is(value, dict)
        for key, inner in shape.items():
            if key is ...:
                for one in value.values():
                    _fit(one, inner)
            elif (found := value.get(key.removesuffix("!"))) is not None:
                _fit(found, inner)
            elif key.endswith("!"):
                raise LookupError
    else:
        _is(value, shape)


def _is(value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError
