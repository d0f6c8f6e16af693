"""Flux: a Kustomization waits for what it depends on, its source, what it applied; a HelmRelease for its chart, that for its
repository.
"""

import re
from collections.abc import Iterator

from rebirth.diagnosis.cause import Cause, Outlook, label
from rebirth.diagnosis.named import said
from rebirth.diagnosis.search import Search
from rebirth.diagnosis.wanted import FLUX, SOURCES, Key, Object, health_checks, references
from rebirth.providers.cluster import condition, reason

# Conditions have reasons, and errors of the Kubernetes API, too; what a registry or a server on the web answered is only
# text. In these words it says that it may answer otherwise in a minute.
PASSING = re.compile(
    r"timeout|timed out|deadline exceeded|refused|reset by peer|\bEOF\b|TLS handshake|temporary failure|temporarily|misbehaving|too ?many ?requests"
    r"|\b(429|50[0234])\b",
    re.IGNORECASE,
)
_DRY_RUN = re.compile(r"dry-run failed \((\w+)\)")
_REJECTED = {"Invalid", "BadRequest"}  # reasons of the Kubernetes API for an object that it will never take
# What the API gives no reason for: text where the schema says number, 10GB, a value that is no base64; no namespace.
# kustomize-controller adds to a failure what it has done before it.
_DONE = re.compile(r"(\s+[A-Z]\w+(/[\w.:-]+)+ (created|configured|unchanged|deleted))+$")
_MISTYPED = re.compile(r"failed to create typed patch object|failed to convert new object|namespace not specified")


def flux(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    status, message = condition(item)
    if status == "True" or _is_static(key, item):
        return
    if missing := [reference for reference in references(key, item) if search.is_absent(reference)]:
        for reference in missing:
            yield from search.missing(reference, f"{label(key)} needs it")
        return
    if (item.get("spec") or {}).get("suspend"):
        yield Cause(key, "is suspended, so Flux does not reconcile it", Outlook.FINAL)
        return
    if below := [cause for other in _needed(search, key, item) for cause in search.of(other, first=True)]:
        yield from below
        return
    if unhealthy := [one for _, one in health_checks(item) if search.is_absent(one)]:
        for one in unhealthy:
            yield from search.missing(one, f"{label(key)} waits for it")
        return
    stalled, why = condition(item, "Stalled")
    message = _DONE.sub("", message)
    outlook = Outlook.FINAL if stalled == "True" else _outlook(key, item, status, message)
    first = bool((item.get("spec") or {}).get("wait"))
    below = [cause for other in _applied(search, key, item) for cause in search.of(other, first=first)]
    if stalled == "True" and below:
        message = f"{why or message} ({'; '.join(map(str, below))})"
    yield from said(search, key, message, outlook) if outlook is Outlook.FINAL or not below else below


STEPS = dict.fromkeys(FLUX, flux)


def _needed(search: Search, key: Key, item: Object) -> Iterator[Key]:
    """What has to be Ready before it is even tried."""
    kind, namespace, name = key
    spec = item.get("spec") or {}
    for other in spec.get("dependsOn") or []:
        yield kind, other.get("namespace") or namespace, other["name"]
    reference = spec.get("chartRef") or spec.get("sourceRef")
    if kind == "HelmRelease" and not reference:
        reference = ((spec.get("chart") or {}).get("spec") or {}).get("sourceRef") or {}
        place = reference.get("namespace") or namespace
        chart = ("HelmChart", place, f"{namespace}-{name}")
        if chart in search.objects:
            yield chart
            return
    if reference and reference.get("kind") in SOURCES:
        yield reference["kind"], reference.get("namespace") or namespace, reference["name"]


def _applied(search: Search, key: Key, item: Object) -> Iterator[Key]:
    """What it has applied, by the labels that Flux writes on it, and what operators made of that, by its owner."""
    kind, namespace, name = key
    if kind not in {"Kustomization", "HelmRelease"}:
        return
    inventory = ((item.get("status") or {}).get("inventory") or {}).get("entries") or []
    owners = {(parts[0], parts[3], parts[1]) for entry in inventory if len(parts := entry["id"].split("_")) == 4}
    prefix = f"{'kustomize' if kind == 'Kustomization' else 'helm'}.toolkit.fluxcd.io"
    for other, there in search.objects.items():
        labels = there["metadata"].get("labels") or {}
        owned = {(other[1], o["kind"], o["name"]) for o in there["metadata"].get("ownerReferences") or []} & owners
        mine = (labels.get(f"{prefix}/namespace"), labels.get(f"{prefix}/name")) == (namespace, name)
        if other != key and (mine or (owned and other[0] not in SOURCES)):
            yield other


def _outlook(key: Key, item: Object, status: str, message: str) -> Outlook:
    """What becomes of what says itself that it is not Ready."""
    if status != "False":
        return Outlook.WORKING
    if key[0] in SOURCES:
        return Outlook.STUCK if PASSING.search(message) else Outlook.FINAL
    if _MISTYPED.search(message):
        return Outlook.FINAL
    if refused := _DRY_RUN.search(message):
        return Outlook.FINAL if refused[1] in _REJECTED else Outlook.STUCK
    final = key[0] == "Kustomization" and reason(item) in {"BuildFailed", "ArtifactFailed"}
    return Outlook.FINAL if final and not PASSING.search(message) else Outlook.STUCK


def _is_static(key: Key, item: Object) -> bool:
    """An OCI HelmRepository is only an address: no controller reports on it."""
    return key[0] == "HelmRepository" and (item.get("spec") or {}).get("type") == "oci"
