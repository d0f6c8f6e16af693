"""Whether what came is a Kubernetes object, as far as the product looks into any: a proxy may change what it passes on."""

from typing import Any

_WITH_SPEC = {"Kustomization", "HelmRelease", "ExternalSecret"}
_COUNTS = {
    *("replicas", "availableReplicas", "updatedReplicas", "observedGeneration"),
    *("desiredNumberScheduled", "numberAvailable", "updatedNumberScheduled"),
}


def shaped(item: Any, kind: str) -> dict[str, Any]:
    """The object, which was asked for as one of that kind. Raises LookupError or TypeError where it is none."""
    _metadata(item["metadata"])
    for key in ("spec", "status"):
        _is(item.get(key) or {}, dict)
    if kind in {"Secret", "ConfigMap"}:
        _all(dict, item.get("data"), str)
    if kind in _WITH_SPEC:
        _is(item["spec"], dict)
    for counted in (item.get("spec") or {}, item.get("status") or {}):
        for key in _COUNTS & counted.keys():
            if counted[key] is not None:
                _is(counted[key], int)
    for entry in _all(list, (item.get("status") or {}).get("conditions"), dict):
        _condition(entry)
    return dict(item)


def _metadata(meta: Any) -> None:
    for name in (meta["name"], meta.get("namespace", "")):
        _is(name, str)
        if not name.isprintable() or "/" in name:
            raise TypeError
    for key in ("labels", "annotations"):
        _all(dict, meta.get(key), str)
    _is(meta.get("generation", 0), int)


def _condition(entry: Any) -> None:
    for text in (entry["type"], entry["status"], entry.get("message") or "", entry.get("reason") or ""):
        _is(text, str)
    _is(entry.get("observedGeneration", 0), int)


def _is(value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError


def _all(container: type, values: Any, kind: type) -> Any:
    """A container of such values, or nothing."""
    values = values or container()
    _is(values, container)
    for value in values.values() if isinstance(values, dict) else values:
        _is(value, kind)
    return values
