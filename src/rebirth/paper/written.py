"""What an object of a chart's values says that only the chart itself would have made sense of: it is left out.

app-template takes names of its own for some references, and templates nearly everywhere. The API server refuses both, which the
chart would not have handed on.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_TEMPLATE = "{{"
_REFERENCES = {"secretRef", "configMapRef", "secretKeyRef", "configMapKeyRef"}
_OF_A_REFERENCE = {"name", "key", "optional"}


def is_template(value: object) -> bool:
    """Whether it is a text that Helm would have rendered."""
    return isinstance(value, str) and _TEMPLATE in value


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """The object without labels, host names and references that are not written out. It is changed in place."""
    for part in _metadata(item):
        for field in ("labels", "annotations"):
            if isinstance(part.get(field), dict):
                part[field] = {key: value for key, value in part[field].items() if not is_template(value)}
    spec: dict[str, Any] = item["spec"] if isinstance(item.get("spec"), dict) else {}
    if isinstance(spec.get("hostnames"), list):
        spec["hostnames"] = [name for name in spec["hostnames"] if not is_template(name)]
    if spec.get("storageClassName") == "-":  # how charts write that there is to be none
        spec["storageClassName"] = ""
    for container in _containers(item):
        if isinstance(container.get("env"), list):
            container["env"] = [one for one in map(_reference, container["env"]) if one]
        if isinstance(container.get("envFrom"), list):
            container["envFrom"] = [one for one in map(_source, container["envFrom"]) if one]
    return item


def _metadata(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("metadata"), dict):
            yield value["metadata"]
        for inner in (value.get("spec"), value.get("template"), value.get("jobTemplate")):
            yield from _metadata(inner)


def _containers(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        for field in ("containers", "initContainers"):
            if isinstance(value.get(field), list):
                yield from (one for one in value[field] if isinstance(one, dict))
        for inner in (value.get("spec"), value.get("template"), value.get("jobTemplate")):
            yield from _containers(inner)


def _reference(entry: Any) -> Any:
    """A variable; nothing where its value is said to come from what the chart alone knows."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("valueFrom"), Mapping):
        return entry
    source = _source(entry["valueFrom"])
    return {**entry, "valueFrom": source} if source else None


def _source(source: Any) -> Any:
    """References with what the API server knows of them; none without a name."""
    if not isinstance(source, Mapping):
        return None
    found = {}
    for key, reference in source.items():
        if key in _REFERENCES:
            kept = (
                {k: v for k, v in reference.items() if k in _OF_A_REFERENCE} if isinstance(reference, Mapping) else {}
            )
            if kept.get("name") and not any(map(is_template, kept.values())):
                found[key] = kept
        elif key.endswith("Ref") or key == "prefix":
            found[key] = reference
    return found if found.keys() - {"prefix"} else None
