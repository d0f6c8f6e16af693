"""Where a connection to a Service ends: as kube-proxy would have it. Pure functions over objects."""

from collections.abc import Iterable, Iterator

from rebirth.paper.api.client import Object

_SERVICE = "kubernetes.io/service-name"  # label of an EndpointSlice


def service_at(services: Iterable[Object], address: str, port: int) -> tuple[Object, Object] | None:
    """The Service with that cluster address, and its port."""
    for service in services:
        spec = service["spec"]
        if address in (spec.get("clusterIPs") or [spec.get("clusterIP")]):
            return next(((service, one) for one in spec.get("ports") or [] if one["port"] == port), None)
    return None


def ready(service: Object, port: Object, slices: Iterable[Object]) -> bool:
    """Whether any endpoint of that port takes connections."""
    meta = service["metadata"]
    return any(
        endpoint.get("conditions", {}).get("ready") is not False
        for one in slices
        if one["metadata"].get("namespace") == meta.get("namespace")
        and (one["metadata"].get("labels") or {}).get(_SERVICE) == meta["name"]
        and any((found.get("name") or "") == (port.get("name") or "") for found in one.get("ports") or [])
        for endpoint in one.get("endpoints") or []
    )


def names(service: Object) -> Iterator[str]:
    """What the API server calls it by, and what a pod may."""
    name, namespace = service["metadata"]["name"], service["metadata"].get("namespace", "")
    yield from (f"{name}.{namespace}.svc", f"{name}.{namespace}.svc.cluster.local", f"{name}.{namespace}", name)
