"""What the stand-in of the Kubernetes API demands of an object: what tests of the product need an answer to, and no more."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from standins.fields import at
from standins.kinds import Kind
from standins.statuses import bad_request, disrupted, invalid, no_namespace, terminating

if TYPE_CHECKING:
    from standins.kubernetes import Kubernetes

# Fields that cannot change once they are set.
_IMMUTABLE = {
    "secrets": ("type",),
    "deployments": ("spec", "selector"),
    "daemonsets": ("spec", "selector"),
    "storageclasses": ("provisioner",),
}


def agrees(meta: Mapping[str, Any], namespace: str, name: str) -> None:
    if meta.get("name", name) != name:
        raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
    if meta.get("namespace", namespace) != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def admitted(
    kubernetes: "Kubernetes", kind: Kind, namespace: str, name: str, item: dict[str, Any], before: dict[str, Any]
) -> None:
    """Raises Refused."""
    if kind.namespaced and not before:
        there = kubernetes.get("v1", "Namespace", namespace)
        if there is None:
            raise no_namespace(namespace)
        if there["metadata"].get("deletionTimestamp") or there["status"].get("phase") == "Terminating":
            raise terminating(kind, name, namespace)
    path = _IMMUTABLE.get(kind.plural)
    if path and before and at(before, path) not in (None, at(item, path)):
        raise invalid(kind, name, ".".join(path), f'Invalid value: "{at(item, path)}": field is immutable')
    if kind.resource == "services" and (why := _address(kubernetes, item, at(before, ("spec", "clusterIP")))):
        raise invalid(kind, name, "spec.clusterIPs", why)


def evictable(kubernetes: "Kubernetes", pod: dict[str, Any]) -> None:
    """Raises Refused where a disruption budget does not allow it now."""
    meta = pod["metadata"]
    for budget in kubernetes.all("policy/v1", "PodDisruptionBudget", meta["namespace"]):
        wanted = budget["spec"]["selector"]["matchLabels"].items()
        if wanted <= (meta.get("labels") or {}).items() and not budget.get("status", {}).get("disruptionsAllowed"):
            raise disrupted(budget["metadata"]["name"])


def _address(kubernetes: "Kubernetes", item: dict[str, Any], before: str | None) -> str:
    """Why a Service cannot have the address that it asks for."""
    asked, meta = at(item, ("spec", "clusterIP")), item["metadata"]
    if asked in (None, "", "None"):
        return ""
    said = f'Invalid value: ["{asked}"]: '
    if before not in (None, asked):
        return said + "may not change once set"
    if ip_address(asked) not in kubernetes.service_network:
        known = f"The range of valid IPs is {kubernetes.service_network}"
        return f"{said}failed to allocate IP {asked}: the provided IP is not in the valid range. {known}"
    for other in kubernetes.all("v1", "Service"):
        itself = all(other["metadata"][key] == meta[key] for key in ("namespace", "name"))
        if other["spec"].get("clusterIP") == asked and not itself:
            return f"{said}failed to allocate IP {asked}: provided IP is already allocated"
    return ""
