"""Deployments, StatefulSets, DaemonSets, ReplicaSets and Pods (pkg/apis/apps/validation of Kubernetes 1.35)."""

import re
from collections.abc import Iterator

from rebirth.proof.reading import selectors
from rebirth.proof.validation import claims
from rebirth.proof.validation.labels import selector
from rebirth.proof.validation.pods import never_ends, own_pod, template
from rebirth.proof.validation.values import (
    LABEL,
    Fields,
    Path,
    Refusal,
    at_least,
    entries,
    has,
    inner,
    is_known,
    label_of_dns,
    needs,
    number,
    one_of,
    shown,
    text,
)

_SPEC = ("spec",)
_LONGEST = 63
_SHARE = re.compile(r"\d+%")


def pod(data: Fields) -> Iterator[Refusal]:
    yield from own_pod(inner(data, "spec"), _SPEC)


def deployment(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    yield from _pods(spec)
    yield from at_least(
        spec, _SPEC, 0, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"
    )
    ready, deadline = number(spec, "minReadySeconds") or 0, number(spec, "progressDeadlineSeconds")
    if "progressDeadlineSeconds" not in spec and ready >= 600:
        deadline = 600
    if deadline is not None and 0 <= deadline <= ready:
        yield Refusal(
            (*_SPEC, "progressDeadlineSeconds"), f"is {deadline} and must be more than minReadySeconds, {ready}"
        )
    strategy, path = inner(spec, "strategy"), (*_SPEC, "strategy")
    rolling = strategy.get("rollingUpdate")
    if text(strategy, "type") == "Recreate" and rolling is not None:
        yield Refusal((*path, "rollingUpdate"), "is there beside `type: Recreate`, which takes none")
    elif isinstance(rolling, dict):
        yield from _shares(rolling, (*path, "rollingUpdate"), most=("maxUnavailable",))
        if _is_none(rolling.get("maxUnavailable", "25%")) and _is_none(rolling.get("maxSurge", "25%")):
            yield Refusal(
                (*path, "rollingUpdate", "maxUnavailable"), "is 0, and so is maxSurge: nothing could ever be replaced"
            )


def replica_set(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    yield from needs(spec, _SPEC, "selector", "template")
    yield from _pods(spec)
    yield from at_least(spec, _SPEC, 0, "replicas", "minReadySeconds")


def daemon_set(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    yield from _pods(spec)
    yield from at_least(spec, _SPEC, 0, "minReadySeconds", "revisionHistoryLimit")
    strategy, path = inner(spec, "updateStrategy"), (*_SPEC, "updateStrategy", "rollingUpdate")
    rolling = inner(strategy, "rollingUpdate")
    if text(strategy, "type") in {"", "RollingUpdate"} and rolling and is_known(strategy.get("type")):
        yield from _shares(rolling, path, most=("maxUnavailable", "maxSurge"))
        out, more = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
        if is_known(out) and is_known(more):
            if _is_none(out) and _is_none(more):
                yield Refusal((*path, "maxUnavailable"), "is 0, and so is maxSurge: nothing could ever be replaced")
            elif not _is_none(out) and not _is_none(more):
                said = "" if "maxUnavailable" in rolling else ", which is 1 where it is not written"
                yield Refusal((*path, "maxSurge"), f"is {shown(more)}, which needs `maxUnavailable: 0`{said}")


def stateful_set(data: Fields) -> Iterator[Refusal]:
    name = text(inner(data, "metadata"), "name")
    if name and not LABEL.fullmatch(name):
        said = f"has {len(name)} characters" if len(name) > _LONGEST else f"is {name}"
        yield Refusal(
            ("metadata", "name"),
            f"{said}; that of a StatefulSet has at most 63 lower-case letters, digits and -",
            since="1.35",
        )
    spec = inner(data, "spec")
    yield from _pods(spec)
    yield from at_least(spec, _SPEC, 0, "replicas", "minReadySeconds")
    yield from at_least(inner(spec, "ordinals"), (*_SPEC, "ordinals"), 0, "start")
    strategy = inner(spec, "updateStrategy")
    rolling, path = strategy.get("rollingUpdate"), (*_SPEC, "updateStrategy", "rollingUpdate")
    if text(strategy, "type") == "OnDelete" and rolling is not None:
        yield Refusal(path, "is there beside `type: OnDelete`, which takes none")
    elif isinstance(rolling, dict):
        yield from at_least(rolling, path, 0, "partition")
    retention = inner(spec, "persistentVolumeClaimRetentionPolicy")
    for field in ("whenDeleted", "whenScaled"):
        yield from one_of(retention, (*_SPEC, "persistentVolumeClaimRetentionPolicy"), field, "Retain", "Delete")
    for index, claim in entries(spec, "volumeClaimTemplates"):
        metadata, where = inner(claim, "metadata"), (*_SPEC, "volumeClaimTemplates", index, "metadata")
        yield from needs(metadata, where, "name")
        yield from label_of_dns(metadata, where, "name")
        if has(claim, "spec"):
            yield from claims.claim_spec(inner(claim, "spec"), (*_SPEC, "volumeClaimTemplates", index, "spec"))
    service = text(spec, "serviceName")
    if service and not LABEL.fullmatch(service):
        words = f"is {shown(service)} and must be at most 63 lower-case letters, digits and -"
        yield Refusal((*_SPEC, "serviceName"), words, since="1.35")


def _pods(spec: Fields) -> Iterator[Refusal]:
    made, path = inner(spec, "template"), (*_SPEC, "template")
    wanted = spec.get("selector")
    if isinstance(wanted, dict):
        yield from selector(spec, _SPEC, "selector")
        if not wanted.get("matchLabels") and not wanted.get("matchExpressions"):
            yield Refusal((*_SPEC, "selector"), "is empty, and has to select the pods of the template")
        elif made and _is_said(wanted, made) and not selectors.selects(wanted, inner(made, "metadata", "labels")):
            labels = inner(made, "metadata", "labels")
            listed = ", ".join(
                f"{key}={value}"
                for key, value in inner(spec, "selector", "matchLabels").items()
                if labels.get(key) != value
            )
            where = (*path, "metadata", "labels") if labels else path
            yield Refusal(where, f"has not what spec.selector asks for ({listed or 'matchExpressions'})")
    if made:
        yield from template(made, path)
        yield from never_ends(inner(made, "spec"), (*path, "spec"))


def _is_said(wanted: Fields, made: Fields) -> bool:
    """Whether selector and labels are known, names and values."""
    labels = inner(made, "metadata").get("labels")
    if labels is not None and not isinstance(labels, dict):
        return False
    maps = (inner(wanted, "matchLabels"), inner(made, "metadata", "labels"))
    plain = all(
        isinstance(value, str) for found in maps for value in found.values()
    )  # what is no text is told elsewhere
    lists = [expression.get("values") for _, expression in entries(wanted, "matchExpressions")]
    values = [value for found in lists if isinstance(found, list) for value in found]
    parts = [part for found in maps for pair in found.items() for part in pair]
    return plain and all(map(is_known, (*parts, *values)))


def _shares(found: Fields, path: Path, *, most: tuple[str, ...]) -> Iterator[Refusal]:
    """Numbers of pods, or shares of them."""
    yield from at_least(found, path, 0, "maxUnavailable", "maxSurge")
    for key in ("maxUnavailable", "maxSurge"):
        share = found.get(key)
        if not isinstance(share, str) or not is_known(share):
            continue
        if not _SHARE.fullmatch(share):
            yield Refusal((*path, key), f"is {shown(share)} and must be a number of pods, or a share such as 25%")
        elif key in most and int(share[:-1]) > 100:
            yield Refusal((*path, key), f"is {share} and must be at most 100%")


def _is_none(value: object) -> bool:
    return value in (0, "0%")
