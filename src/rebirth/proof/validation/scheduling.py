"""On which nodes pods may run (pkg/apis/core/validation of Kubernetes 1.35: tolerations, affinity, topology spread)."""

from collections.abc import Iterator

from rebirth.proof.validation.labels import labels, requirement, selector
from rebirth.proof.validation.values import (
    LABEL,
    Fields,
    Path,
    Refusal,
    at_least,
    choice,
    count,
    entries,
    has,
    inner,
    is_known,
    is_qualified,
    is_word,
    needs,
    number,
    shown,
    text,
    texts,
)

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def scheduling(pod: Fields, path: Path) -> Iterator[Refusal]:
    yield from labels(pod, path, "nodeSelector")
    for index, toleration in entries(pod, "tolerations"):
        yield from _toleration(toleration, (*path, "tolerations", index))
    if "topologySpreadConstraints" in pod:
        yield from _spread(pod, path)
    affinity = inner(pod, "affinity")
    if affinity:
        yield from _of_nodes(inner(affinity, "nodeAffinity"), (*path, "affinity", "nodeAffinity"))
        for part in ("podAffinity", "podAntiAffinity"):
            yield from _of_pods(inner(affinity, part), (*path, "affinity", part))


def _toleration(found: Fields, path: Path) -> Iterator[Refusal]:
    key, operator = text(found, "key"), text(found, "operator")
    if not has(found, "key") and operator != "Exists" and is_known(found.get("operator")):
        said = f"is {operator} and" if operator else "is missing:"
        yield Refusal((*path, "operator"), f"{said} must be Exists where there is no key")
    if key and not is_qualified(key):
        yield Refusal((*path, "key"), f"is {shown(key)} and must be the name of a label")
    if has(found, "tolerationSeconds") and text(found, "effect") != "NoExecute" and is_known(found.get("effect")):
        yield Refusal((*path, "effect"), "must be NoExecute where there are tolerationSeconds")
    if operator == "Exists" and has(found, "value"):
        yield Refusal((*path, "value"), "is there beside `operator: Exists`, which takes none")
    elif operator in {"", "Equal"} and not is_word(text(found, "value")):
        yield Refusal((*path, "value"), f"is {shown(found['value'])} and must be the value of a label")


def _spread(pod: Fields, path: Path) -> Iterator[Refusal]:
    seen: set[tuple[str, str]] = set()
    for index, found in entries(pod, "topologySpreadConstraints"):
        where = (*path, "topologySpreadConstraints", index)
        yield from at_least(found, where, 1, "maxSkew", "minDomains")
        action = text(found, "whenUnsatisfiable")
        if has(found, "minDomains") and action and action != "DoNotSchedule":
            yield Refusal(
                (*where, "minDomains"),
                f"is there beside `whenUnsatisfiable: {action}`, and only DoNotSchedule takes it",
            )
        key = (text(found, "topologyKey"), action)
        if all(key) and key in seen:
            yield Refusal((*where, "topologyKey"), f"is {key[0]}, which another constraint with {key[1]} has, too")
        seen.add(key)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            yield from choice(found, where, field, "Honor", "Ignore")
        yield from _keys(found, where)
        yield from selector(found, where, "labelSelector")


def _keys(found: Fields, path: Path) -> Iterator[Refusal]:
    for field in ("matchLabelKeys", "mismatchLabelKeys"):
        if count(found, field) and found.get("labelSelector") is None:
            yield Refusal((*path, field), "is there without a labelSelector")
        for index, key in texts(found, field):
            if not is_qualified(key):
                yield Refusal((*path, field, index), f"is {shown(key)} and must be the name of a label")


def node_selector(found: Fields, path: Path) -> Iterator[Refusal]:
    """What nodes have to be like: of pods, and of volumes."""
    terms = found.get("nodeSelectorTerms")
    if isinstance(terms, list) and not terms:
        yield Refusal((*path, "nodeSelectorTerms"), "has no entry, and needs one")
    for index, term in entries(found, "nodeSelectorTerms"):
        yield from _term(term, (*path, "nodeSelectorTerms", index), strict=True)


def _term(term: Fields, path: Path, *, strict: bool) -> Iterator[Refusal]:
    for index, expression in entries(term, "matchExpressions"):
        where = (*path, "matchExpressions", index)
        yield from requirement(expression, where, compares=True)
        listed = expression.get("values")
        for at, value in enumerate(listed if isinstance(listed, list) and strict else ()):
            if isinstance(value, str) and is_known(value) and not is_word(value):
                yield Refusal((*where, "values", at), f"is {shown(value)} and must be the value of a label")
    for index, expression in entries(term, "matchFields"):
        where = (*path, "matchFields", index)
        key = text(expression, "key")
        if key and key != "metadata.name":
            yield Refusal((*where, "key"), f"is {shown(key)} and must be metadata.name")
        if count(expression, "values") != 1:
            yield Refusal((*where, "values"), "must have exactly one entry")


def _of_nodes(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from node_selector(inner(found, _REQUIRED), (*path, _REQUIRED))
    for index, entry in entries(found, _PREFERRED):
        yield from _weight(entry, (*path, _PREFERRED, index))
        yield from _term(inner(entry, "preference"), (*path, _PREFERRED, index, "preference"), strict=False)


def _of_pods(found: Fields, path: Path) -> Iterator[Refusal]:
    for index, term in entries(found, _REQUIRED):
        yield from _pod_term(term, (*path, _REQUIRED, index))
    for index, entry in entries(found, _PREFERRED):
        where = (*path, _PREFERRED, index)
        yield from _weight(entry, where)
        yield from _pod_term(inner(entry, "podAffinityTerm"), (*where, "podAffinityTerm"))


def _weight(entry: Fields, path: Path) -> Iterator[Refusal]:
    weight = number(entry, "weight") if "weight" in entry else 0
    if weight is not None and not 1 <= weight <= 100:
        yield Refusal(
            (*path, "weight"), f"is {weight} and must be from 1 to 100" if "weight" in entry else "is missing"
        )


def _pod_term(term: Fields, path: Path) -> Iterator[Refusal]:
    yield from needs(term, path, "topologyKey")
    if (key := text(term, "topologyKey")) and not is_qualified(key):
        yield Refusal((*path, "topologyKey"), f"is {shown(key)} and must be the name of a label")
    for index, space in texts(term, "namespaces"):
        if not LABEL.fullmatch(space):
            yield Refusal((*path, "namespaces", index), f"is {shown(space)} and must be the name of a namespace")
    yield from _keys(term, path)
    for field in ("labelSelector", "namespaceSelector"):
        yield from selector(term, path, field)
