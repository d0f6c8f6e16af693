"""Secrets and ConfigMaps by key: who makes them plainly, and which pods and Ingresses read what of them."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import meeting
from rebirth.proof.sources.meeting import given, secret
from rebirth.proof.things import ALWAYS, Milestone, Need, Place, Scope, Strength, Thing

_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type
_ACCOUNT = "kubernetes.io/service-account.name"
_SSA = "kustomize.toolkit.fluxcd.io/ssa"
_COPIES = ("reflector.v1.k8s.emberstack.com/reflects", "replicator.v1.mittwald.de/replicate-from")

_RELOADED = "cnpg.io/reload"  # CloudNativePG's guide to cert-manager: an empty Secret with that label, which a Certificate fills


def read(model: Model, graph: Graph) -> None:
    for member, _ in model.objects("Secret", "ConfigMap"):
        if not member.group:
            _made(member, graph)
    for found in pods.every(model):
        if found.replicas:
            _read_by_pods(found, graph)
    for member, _ in model.objects("Ingress"):
        _read_by_ingress(member, graph)


# -- makers


def _made(member: Manifest, graph: Graph) -> None:
    made = member.thing(Milestone.MATERIALISED)
    place = member.place("metadata", "name")
    if member.at("type") == _TOKEN:
        _token(member, made, place, graph)
        graph.remark("account-token", place, f"{made.label} is the token of an account", made)
        return
    filled = any(note in member.annotations for note in _COPIES) or _RELOADED in member.mapping("metadata", "labels")
    if filled and not _keys(member):
        return  # it holds nothing by itself: a copier fills it, or a Certificate or ExternalSecret, and CloudNativePG looks at it
    graph.makes(member.thing(), made, place)
    graph.holds(made, _keys(member), place)
    if member.annotations.get(_SSA) in {"IfNotPresent", "Ignore"}:
        graph.remark("begins-only", place, f"Flux only sets {made.label} once", member.thing())
    if "sops" not in member.data:
        _values(member, made, graph)


def _token(member: Manifest, made: Thing, place: Place, graph: Graph) -> None:
    """A token that Kubernetes fills in, for a ServiceAccount."""
    filled = member.thing(Milestone.READY)
    graph.needs(filled, member.thing(), Need.APPLIED_BY, place)
    if name := member.annotations.get(_ACCOUNT):
        account = meeting.account(graph, member.namespace, str(name))
        graph.needs(filled, account, Need.ACCOUNT, member.place("metadata", "annotations", _ACCOUNT))
    graph.makes(filled, made, place, "Kubernetes fills it in")
    graph.holds(made, ["token", "ca.crt", "namespace"], place)
    if _text(member, "token"):
        _bound(member, made, "token", "a ServiceAccount's token", graph)


def _keys(member: Manifest) -> Iterable[str] | None:
    fields = ("data", "stringData") if member.kind == "Secret" else ("data", "binaryData")
    keys = {str(key) for field in fields for key in member.mapping(field)}
    # Something fills these in later: a copier, an injector.
    if not keys and member.annotations:
        return None
    return keys


def _values(member: Manifest, made: Thing, graph: Graph) -> None:
    """What can be said of values without ever repeating one: empty, or bound to a cluster that is gone."""
    for field in ("data", "stringData"):
        for key, value in member.mapping(field).items():
            if member.kind != "Secret":
                continue
            text = _text(member, str(key))
            if value is None or (isinstance(value, str) and not text.strip()):
                words = f"the key {key} of {made.label} is there, but empty"
                graph.remark("empty-value", member.place(field, key), words, made, key=str(key))
            elif _is_cluster_token(text):
                _bound(member, made, str(key), "a ServiceAccount's token", graph)
            elif "certificate-authority-data:" in text and "clusters:" in text:
                _bound(member, made, str(key), "a kubeconfig", graph)


def _bound(member: Manifest, made: Thing, key: str, what: str, graph: Graph) -> None:
    field = "stringData" if key in member.mapping("stringData") else "data"
    words = f"the key {key} of {made.label} contains {what} of an earlier cluster"
    graph.remark("bound-to-cluster", member.place(field, key), words, made, what=what)


def _text(member: Manifest, key: str) -> str:
    """A value as text; "" where there is none or it is no text."""
    plain = member.at("stringData", key)
    if isinstance(plain, str):
        return plain
    encoded = member.at("data", key)
    if not isinstance(encoded, str):
        return ""
    try:
        return base64.b64decode(encoded, validate=False).decode()
    except (binascii.Error, ValueError):
        return encoded


def _is_cluster_token(text: str) -> bool:
    parts = text.strip().split(".")
    if len(parts) != 3 or not text.startswith("ey"):
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return False
    issuer = str(claims.get("iss", "")) if isinstance(claims, Mapping) else ""
    return issuer.startswith("kubernetes") or "svc.cluster.local" in issuer


# -- readers


def _read_by_pods(found: pods.Pods, graph: Graph) -> None:
    patience = found.manifest.at("spec", "activeDeadlineSeconds") if found.manifest.kind == "Job" else None
    bounded = isinstance(patience, int)
    needed: set[Thing] = set()
    for reference in found.references():
        of = thing(reference.kind, found.namespace, reference.name, Milestone.MATERIALISED)
        place = found.manifest.place(*reference.path)
        if reference.optional:
            words = f"{found.thing.label} starts without {of.label}, too"
            graph.remark("optional", place, words, found.thing, **_about(of, reference, found.manifest))
            continue
        if reference.key:
            graph.reads(found.thing, of, reference.key, found.manifest.place(*reference.key_path))
        if of in needed:
            continue
        needed.add(of)
        given(graph, of)
        graph.wanted(of)
        graph.needs(
            found.thing, of, Need.SECRET if of.kind == "Secret" else Need.CONFIG, place,
            strength=Strength.BOUNDED if bounded else Strength.SOFT,
            scope=Scope.FIRST_BOOT | Scope.COLD_RESTART,
            patience=float(patience) if bounded else None,  # type: ignore[arg-type]
        )  # fmt: skip
    _pull_secrets(found, graph)


def _about(of: Thing, reference: pods.Reference, manifest: Manifest) -> dict[str, str]:
    reloads = any("reloader" in str(key) for key in (*manifest.annotations, *_template_annotations(manifest)))
    return {
        "kind": of.kind,
        "namespace": of.namespace,
        "name": of.name,
        "how": reference.how,
        "key": reference.key or "",
        "reloads": "yes" if reloads else "",
    }


def _template_annotations(manifest: Manifest) -> Mapping[str, Any]:
    return manifest.mapping("spec", "template", "metadata", "annotations")


def _pull_secrets(found: pods.Pods, graph: Graph) -> None:
    """Without its pull Secret a pod still starts wherever the image is public: that is no need, but worth a word."""
    for index, entry in enumerate(found.manifest.items(*found.path, "spec", "imagePullSecrets")):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and name:
            of = secret(found.namespace, name)
            place = found.place("imagePullSecrets", index)
            graph.remark("pull-secret", place, f"{found.thing.label} pulls with {of.label}", of)


def _read_by_ingress(member: Manifest, graph: Graph) -> None:
    """Its certificate: without it the controller shows one of its own."""
    serves = member.thing(Milestone.SERVES)
    graph.needs(serves, member.thing(), Need.APPLIED_BY, member.place("metadata", "name"))
    for index, entry in enumerate(member.items("spec", "tls")):
        name = entry.get("secretName") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and name:
            of, place = secret(member.namespace, name), member.place("spec", "tls", index, "secretName")
            graph.wanted(of)
            graph.needs(serves, of, Need.SECRET, place, "its certificate", scope=ALWAYS)
            for key in ("tls.crt", "tls.key"):
                graph.reads(serves, of, key, place)
