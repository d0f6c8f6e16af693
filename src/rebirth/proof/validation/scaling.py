"""How many pods there are to be (pkg/apis/autoscaling, policy and scheduling of Kubernetes 1.35)."""

from collections.abc import Iterator, Mapping

from rebirth.proof.validation.labels import selector
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    amount,
    at_least,
    at_most_one,
    choice,
    entries,
    has,
    inner,
    is_known,
    needs,
    needs_entry,
    number,
    one_of,
    shown,
    text,
    within,
)

_SPEC = ("spec",)
_SOURCES = {
    "Object": "object", "Pods": "pods", "Resource": "resource", "External": "external", "ContainerResource": "containerResource",
}  # fmt: skip
_WAYS: Mapping[str, tuple[str, ...]] = {
    "resource": ("averageUtilization", "averageValue"), "containerResource": ("averageUtilization", "averageValue"),
    "pods": ("averageValue",), "object": ("value", "averageValue"), "external": ("value", "averageValue"),
}  # fmt: skip
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "resource": ("target",), "containerResource": ("name", "container", "target"), "pods": ("metric", "target"),
    "object": ("metric", "describedObject", "target"), "external": ("metric", "target"),
}  # fmt: skip
_HIGHEST = 1_000_000_000


def autoscaler(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    least, most = number(spec, "minReplicas"), number(spec, "maxReplicas")
    yield from at_least(spec, _SPEC, 1, "maxReplicas")
    if least is not None and most is not None and most < least:
        yield Refusal((*_SPEC, "maxReplicas"), f"is {most} and must be at least minReplicas, {least}")
    if least is not None and least < 0:  # 0 is what a feature of the API server decides
        yield Refusal((*_SPEC, "minReplicas"), f"is {least} and must be at least 1")
    target = inner(spec, "scaleTargetRef")
    if target and "/" not in str(target.get("apiVersion") or "") and is_known(target.get("apiVersion")):
        words = "must have the group of what is scaled, such as apps/v1"
        yield Refusal((*_SPEC, "scaleTargetRef", "apiVersion"), words, since="1.35")
    if data.get("apiVersion") != "autoscaling/v2":
        return
    for index, metric in entries(spec, "metrics"):
        yield from _metric(metric, (*_SPEC, "metrics", index))
    for way in ("scaleUp", "scaleDown"):
        yield from _rules(inner(spec, "behavior", way), (*_SPEC, "behavior", way))


def _metric(metric: Fields, path: Path) -> Iterator[Refusal]:
    wanted = _SOURCES.get(text(metric, "type"))
    if wanted is None:
        return
    if metric.get(wanted) is None:
        yield Refusal((*path, wanted), f"is missing beside `type: {metric['type']}`")
    for source in _SOURCES.values():
        if source != wanted and metric.get(source) is not None:
            yield Refusal((*path, source), f"is there beside `type: {metric['type']}`, which takes {wanted} alone")
    if isinstance(metric.get(wanted), dict):
        yield from _source(metric[wanted], (*path, wanted), wanted)


def _source(source: Fields, path: Path, kind: str) -> Iterator[Refusal]:
    yield from needs(source, path, *_NEEDED[kind])
    if kind not in {"resource", "containerResource"}:
        yield from needs(inner(source, "metric"), (*path, "metric"), "name")
    for key in ("kind", "name") if kind == "object" else ():
        yield from needs(inner(source, "describedObject"), (*path, "describedObject"), key)
    if "target" in source:
        yield from _target(inner(source, "target"), (*path, "target"), kind)


def _target(target: Fields, path: Path, source: str) -> Iterator[Refusal]:
    ways = _WAYS[source]
    if not any(has(target, way) for way in ways):
        yield Refusal(path, f"has no {' and no '.join(ways)}, and needs one")
    if source != "object" and len(ways) > 1:
        yield from at_most_one(target, path, ways)
    yield from at_least(target, path, 1, "averageUtilization")
    for field in ("value", "averageValue"):
        value = target.get(field)
        size = amount(value) if isinstance(value, str | int | float) else None
        if size is not None and size <= 0:
            yield Refusal((*path, field), f"is {shown(value)} and must be more than 0")


def _rules(rules: Fields, path: Path) -> Iterator[Refusal]:
    if not rules:
        return
    yield from within(rules, path, 0, 3600, "stabilizationWindowSeconds")
    yield from choice(rules, path, "selectPolicy", "Max", "Min", "Disabled")
    if rules.get("policies") == []:
        yield from needs_entry(rules, path, "policies")
    for index, policy in entries(rules, "policies"):
        where = (*path, "policies", index)
        yield from one_of(policy, where, "type", "Pods", "Percent")
        yield from needs(policy, where, "type", "value", "periodSeconds")
        yield from at_least(policy, where, 1, "value")
        yield from within(policy, where, 1, 1800, "periodSeconds")


def disruption_budget(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    yield from at_most_one(spec, _SPEC, ("minAvailable", "maxUnavailable"))
    yield from selector(spec, _SPEC, "selector")
    yield from choice(spec, _SPEC, "unhealthyPodEvictionPolicy", "IfHealthyBudget", "AlwaysAllow")
    for field in ("minAvailable", "maxUnavailable"):
        yield from at_least(spec, _SPEC, 0, field)
        share = text(spec, field)
        if share.endswith("%") and share[:-1].isdigit() and int(share[:-1]) > 100:
            yield Refusal((*_SPEC, field), f"is {share} and must be at most 100%")


def priority_class(data: Fields) -> Iterator[Refusal]:
    name, value = text(inner(data, "metadata"), "name"), number(data, "value")
    if name.startswith("system-") and name not in {"system-cluster-critical", "system-node-critical"}:
        yield Refusal(("metadata", "name"), f"is {name}, and system- begins the names of Kubernetes' own classes alone")
    elif (
        value is not None
        and value > _HIGHEST
        and not name.startswith("system-")
        and is_known(inner(data, "metadata").get("name"))
    ):
        yield Refusal(("value",), f"is {value} and must be at most {_HIGHEST}")
    yield from choice(data, (), "preemptionPolicy", "Never", "PreemptLowerPriority")
