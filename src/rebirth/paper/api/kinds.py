"""The kinds that are watched in any case."""

from rebirth.paper.api.client import Kind, Object

NODE = Kind("", "v1", "Node", "nodes", namespaced=False)
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
POD = Kind("", "v1", "Pod", "pods")
SECRET = Kind("", "v1", "Secret", "secrets")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
SERVICE = Kind("", "v1", "Service", "services")
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
VOLUME = Kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False)
STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)
SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
INGRESS = Kind("networking.k8s.io", "v1", "Ingress", "ingresses")
CRD = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
API_SERVICE = Kind("apiregistration.k8s.io", "v1", "APIService", "apiservices", namespaced=False)
_ADMISSION = "admissionregistration.k8s.io"
VALIDATING = Kind(
    _ADMISSION, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", namespaced=False
)
MUTATING = Kind(_ADMISSION, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False)

BUILT_IN = (
    NODE, NAMESPACE, STORAGE_CLASS, SECRET, CONFIG_MAP, SERVICE, SLICE, VOLUME, CLAIM, POD, INGRESS, CRD, API_SERVICE, VALIDATING, MUTATING,
)  # fmt: skip


_READ = {(CONFIG_MAP, "Corefile")}  # values that somebody here asks for


def trimmed(kind: Kind, item: Object) -> Object:
    """Without what nobody here asks for: values of Secrets above all, schemas, who wrote which field."""
    item["metadata"].pop("managedFields", None)
    if kind in {SECRET, CONFIG_MAP}:
        for field in ("data", "binaryData"):
            held = item.get(field) or {}
            item[field] = {key: value if (kind, key) in _READ else "" for key, value in held.items()}
        item.pop("stringData", None)
    if kind == CRD:
        for version in item["spec"].get("versions") or []:
            version.pop("schema", None)
    return item


def custom(crd: Object) -> Kind | None:
    """The kind that an established CRD defines, in the version in which it is stored; None before."""
    conditions = (crd.get("status") or {}).get("conditions") or []
    if not any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
        return None
    spec = crd["spec"]
    stored = next((one["name"] for one in spec["versions"] if one.get("storage") and one.get("served")), "")
    served = stored or next((one["name"] for one in spec["versions"] if one.get("served")), "")
    names = spec["names"]
    return (
        Kind(spec["group"], served, names["kind"], names["plural"], spec["scope"] == "Namespaced") if served else None
    )
