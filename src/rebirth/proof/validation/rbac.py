"""Roles and bindings (pkg/apis/rbac/validation of Kubernetes 1.35)."""

from collections.abc import Iterator

from rebirth.proof.validation.labels import selector
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    count,
    entries,
    has,
    inner,
    needs_entry,
    one_of,
    shown,
    subdomain,
    text,
)

_GROUP = "rbac.authorization.k8s.io"


def role(data: Fields) -> Iterator[Refusal]:
    for index, rule in entries(data, "rules"):
        yield from _rule(rule, ("rules", index), namespaced=True)


def cluster_role(data: Fields) -> Iterator[Refusal]:
    for index, rule in entries(data, "rules"):
        yield from _rule(rule, ("rules", index), namespaced=False)
    aggregation = data.get("aggregationRule")
    if isinstance(aggregation, dict):
        path = ("aggregationRule", "clusterRoleSelectors")
        if not count(aggregation, "clusterRoleSelectors"):
            yield Refusal(path, "has no entry, and needs one")
        for index, found in entries(aggregation, "clusterRoleSelectors"):
            yield from selector({"of": found}, (*path, index), "of")


def _rule(rule: Fields, path: Path, *, namespaced: bool) -> Iterator[Refusal]:
    yield from needs_entry(rule, path, "verbs")
    if count(rule, "nonResourceURLs"):
        if namespaced:
            yield Refusal((*path, "nonResourceURLs"), "may be in a ClusterRole alone")
        beside = next((field for field in ("apiGroups", "resources", "resourceNames") if count(rule, field)), "")
        if beside:
            yield Refusal((*path, "nonResourceURLs"), f"is there beside {beside}, and only one of them may be")
        return
    yield from needs_entry(rule, path, "apiGroups", "; the core's is the empty text")
    yield from needs_entry(rule, path, "resources")


def role_binding(data: Fields) -> Iterator[Refusal]:
    yield from _binding(data, namespaced=True)


def cluster_role_binding(data: Fields) -> Iterator[Refusal]:
    yield from _binding(data, namespaced=False)


def _binding(data: Fields, *, namespaced: bool) -> Iterator[Refusal]:
    reference = inner(data, "roleRef")
    group, kind = text(reference, "apiGroup"), text(reference, "kind")
    if group and group != _GROUP:
        yield Refusal(("roleRef", "apiGroup"), f"is {shown(group)} and must be {_GROUP}")
    name = text(reference, "name")
    if name in {".", ".."} or "/" in name or "%" in name:
        yield Refusal(("roleRef", "name"), f"is {shown(name)}, and no name has / or %")
    yield from one_of(reference, ("roleRef",), "kind", "Role", "ClusterRole")
    if kind == "Role" and not namespaced:
        yield Refusal(("roleRef", "kind"), "is Role and must be ClusterRole in a ClusterRoleBinding")
    for index, subject in entries(data, "subjects"):
        path = ("subjects", index)
        kind, group = text(subject, "kind"), text(subject, "apiGroup")
        yield from one_of(subject, path, "kind", "ServiceAccount", "User", "Group")
        if kind == "ServiceAccount":
            yield from subdomain(subject, path, "name")
            if group:
                yield Refusal((*path, "apiGroup"), f"is {shown(group)} and must be empty for a ServiceAccount")
            if not namespaced and not has(subject, "namespace"):
                yield Refusal((*path, "namespace"), "is missing, and a ClusterRoleBinding names a ServiceAccount's")
        elif kind in {"User", "Group"} and group and group != _GROUP:
            yield Refusal((*path, "apiGroup"), f"is {shown(group)} and must be {_GROUP}")
