"""Flux's own kinds (rules in CEL of helm-controller 1.6, kustomize-controller 1.9, source-controller 1.8, notification-controller 1.9 and Flux
Operator 0.59).
"""

from collections.abc import Iterator

from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    count,
    entries,
    has,
    inner,
    is_known,
    just_one,
    one_of,
    text,
)

_SPEC = ("spec",)
_WITHOUT_URL = ("Static", "ExternalArtifact")


def helm_release(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    chart = inner(spec, "chart", "spec", "sourceRef")
    yield from _kind(chart, (*_SPEC, "chart", "spec", "sourceRef"), "HelmRepository", "GitRepository", "Bucket")
    yield from _kind(inner(spec, "chartRef"), (*_SPEC, "chartRef"), "OCIRepository", "HelmChart", "ExternalArtifact")
    yield from _elsewhere(spec)


def kustomization(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    sources = ("GitRepository", "OCIRepository", "Bucket", "ExternalArtifact")
    yield from _kind(inner(spec, "sourceRef"), (*_SPEC, "sourceRef"), *sources)
    yield from _elsewhere(spec)


def _kind(reference: Fields, path: Path, *kinds: str) -> Iterator[Refusal]:
    """Which kinds may be referred to is what Flux adds to."""
    for refusal in one_of(reference, path, "kind", *kinds):
        yield refusal._replace(unless="its Flux is newer than 2.9")


def _elsewhere(spec: Fields) -> Iterator[Refusal]:
    if isinstance(spec.get("kubeConfig"), dict):
        yield from just_one(spec["kubeConfig"], (*_SPEC, "kubeConfig"), ("secretRef", "configMapRef"))


def receiver(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    kind = text(spec, "type")
    if kind and kind != "generic-oidc" and not has(spec, "secretRef"):
        yield Refusal((*_SPEC, "secretRef"), "is missing")


def bucket(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    provider = text(spec, "provider") or "generic"
    if not is_known(spec.get("provider")):
        return
    if has(spec, "sts") and provider not in {"aws", "generic"}:
        yield Refusal((*_SPEC, "sts"), f"is there beside `provider: {provider}`; only aws and generic take it")
    if has(spec, "secretRef") and has(spec, "serviceAccountName"):
        yield Refusal((*_SPEC, "serviceAccountName"), "is there beside secretRef, and only one of them may be")


def helm_chart(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    kind = text(inner(spec, "sourceRef"), "kind")
    if has(spec, "verify") and kind and kind != "HelmRepository":
        yield Refusal((*_SPEC, "verify"), f"is there for a {kind}; only a HelmRepository's charts are verified")


def flux_instance(data: Fields) -> Iterator[Refusal]:
    name = text(inner(data, "metadata"), "name")
    if name and name != "flux":
        yield Refusal(("metadata", "name"), f"is {name}, and that of a FluxInstance is flux")


def resource_set(data: Fields) -> Iterator[Refusal]:
    for index, entry in entries(inner(data, "spec"), "inputsFrom"):
        yield from just_one(entry, (*_SPEC, "inputsFrom", index), ("name", "selector"))


def input_provider(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    kind, url = text(spec, "type"), text(spec, "url")
    if kind in _WITHOUT_URL and has(spec, "url"):
        yield Refusal((*_SPEC, "url"), f"is there beside `type: {kind}`, which has none")
    elif kind and kind not in _WITHOUT_URL and not has(spec, "url"):
        yield Refusal((*_SPEC, "url"), f"is missing beside `type: {kind}`")
    elif url and kind.startswith("Git") and not url.startswith("http"):
        yield Refusal((*_SPEC, "url"), f"is {url} and must begin with https://")
    elif url and kind.endswith("ArtifactTag") and not url.startswith("oci"):
        yield Refusal((*_SPEC, "url"), f"is {url} and must begin with oci://")
    if kind == "ExternalArtifact" and not count(spec, "selectors"):
        yield Refusal((*_SPEC, "selectors"), "has no entry, and `type: ExternalArtifact` needs one")
