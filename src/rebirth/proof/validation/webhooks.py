"""Webhooks that look at objects (pkg/apis/admissionregistration/validation of Kubernetes 1.35)."""

import re
from collections.abc import Iterator

from rebirth.proof.validation.labels import selector
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    choice,
    count,
    entries,
    just_one,
    needs,
    needs_entry,
    number,
    shown,
    text,
    texts,
    twice,
    unlike,
    within,
)

_OPERATIONS = ("*", "CREATE", "UPDATE", "DELETE", "CONNECT")
_REVIEWS = frozenset({"v1", "v1beta1"})
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?){2,}")


def webhooks(data: Fields) -> Iterator[Refusal]:
    yield from twice(data, (), "webhooks", "name", "webhook")
    for index, hook in entries(data, "webhooks"):
        yield from _hook(hook, ("webhooks", index))


def _hook(hook: Fields, path: Path) -> Iterator[Refusal]:
    yield from needs(hook, path, "name", "sideEffects", "clientConfig")
    yield from unlike(hook, path, "name", _NAME, "a name of DNS with two dots")
    yield from choice(hook, path, "sideEffects", "None", "NoneOnDryRun")
    yield from choice(hook, path, "failurePolicy", "Ignore", "Fail")
    yield from choice(hook, path, "matchPolicy", "Exact", "Equivalent")
    yield from choice(hook, path, "reinvocationPolicy", "Never", "IfNeeded")
    yield from within(hook, path, 1, 30, "timeoutSeconds")
    for field in ("namespaceSelector", "objectSelector"):
        yield from selector(hook, path, field)
    yield from needs_entry(hook, path, "admissionReviewVersions")
    versions = [version for _, version in texts(hook, "admissionReviewVersions")]
    if versions and not set(versions) & _REVIEWS and len(versions) == count(hook, "admissionReviewVersions"):
        yield Refusal((*path, "admissionReviewVersions"), "must have v1 or v1beta1")
    elif len(versions) > len(set(versions)):
        yield Refusal((*path, "admissionReviewVersions"), "has a version twice")
    yield from client(hook, path)
    for index, rule in entries(hook, "rules"):
        yield from _rule(rule, (*path, "rules", index))


def client(owner: Fields, path: Path) -> Iterator[Refusal]:
    """Where a webhook is reached."""
    found = owner.get("clientConfig")
    if not isinstance(found, dict):
        return
    path = (*path, "clientConfig")
    yield from just_one(found, path, ("service", "url"))
    url = text(found, "url")
    if url and not url.startswith("https://"):
        yield Refusal((*path, "url"), f"is {shown(url)} and must begin with https://")
    service = found.get("service")
    if isinstance(service, dict):
        path = (*path, "service")
        yield from needs(service, path, "name", "namespace")
        called, at = text(service, "path"), number(service, "port")
        if called and not called.startswith("/"):
            yield Refusal((*path, "path"), f"is {shown(called)} and must begin with /")
        if at is not None and not 1 <= at <= 65535:
            yield Refusal((*path, "port"), f"is {at} and must be the number of a port, 1 to 65535")


def _rule(rule: Fields, path: Path) -> Iterator[Refusal]:
    for field in ("operations", "apiGroups", "apiVersions", "resources"):
        found = [value for _, value in texts(rule, field)]
        yield from needs_entry(rule, path, field)
        if "*" in found and len(found) > 1 and field != "resources":
            yield Refusal((*path, field), "has * beside others, which it stands for already")
        if "" in found and field in {"apiVersions", "resources"}:
            yield Refusal((*path, field, found.index("")), "is empty")
    for index, operation in texts(rule, "operations"):
        if operation not in _OPERATIONS:
            yield Refusal(
                (*path, "operations", index), f"is {shown(operation)} and must be one of {', '.join(_OPERATIONS)}"
            )
    yield from choice(rule, path, "scope", "Cluster", "Namespaced", "*")
