"""What cert-manager's webhook refuses of durations and Cloudflare's keys (1.19, internal/apis/certmanager/validation), and a wildcard that none of
an issuer's solvers can prove.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.schemas.shape import is_open
from rebirth.proof.sources import meeting
from rebirth.proof.sources.meeting import CERT_MANAGER, Refusal

_ISSUERS = ("Issuer", "ClusterIssuer")
_LEAST, _USUAL = timedelta(hours=1), timedelta(days=90)
_BEFORE = timedelta(minutes=5)
_WHY = "cert-manager's webhook refuses it, and Flux then applies nothing of the whole Kustomization."
_NEVER = "No challenge of the order can be solved: the Certificate is never Ready."


def read(model: Model, graph: Graph) -> None:
    for member in meeting.applied_by_flux(model, *_ISSUERS, "Certificate"):
        if member.group == CERT_MANAGER:
            found = _times(member) if member.kind == "Certificate" else _issuer(member)
            meeting.refused(graph, member, found, _WHY)
            if member.kind == "Certificate":
                meeting.refused(graph, member, _unproven(model, member), _NEVER)


def _times(own: Manifest) -> Iterator[Refusal]:
    for field in ("duration", "renewBefore"):
        value = own.at("spec", field)
        if isinstance(value, str) and not is_open(value) and meeting.go_duration(value) is None:
            yield Refusal(("spec", field), f"{field} {value} is no duration: its units are h, m and s")
            return
    lasts = meeting.go_duration(own.at("spec", "duration"))
    before = meeting.go_duration(own.at("spec", "renewBefore"))
    if lasts is not None and lasts < _LEAST:
        yield Refusal(("spec", "duration"), "a certificate lasts an hour at least")
    if before is not None and before < _BEFORE:
        yield Refusal(("spec", "renewBefore"), "renewBefore is five minutes at least")
    if before is not None and before >= (lasts or _USUAL) and not is_open(own.at("spec", "duration") or ""):
        yield Refusal(
            ("spec", "renewBefore"), "it is to be renewed before it is made: duration is longer than renewBefore"
        )


def _issuer(own: Manifest) -> Iterator[Refusal]:
    for index, solver in enumerate(own.items("spec", "acme", "solvers")):
        if isinstance(solver, Mapping):
            yield from _solver(solver, ("spec", "acme", "solvers", index))


def _solver(solver: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[Refusal]:
    inner = solver.get("dns01")
    if not isinstance(inner, Mapping):
        return
    cloudflare = inner.get("cloudflare")
    if isinstance(cloudflare, Mapping):
        keys = [key for key in ("apiKeySecretRef", "apiTokenSecretRef") if cloudflare.get(key)]
        if len(keys) != 1:
            words = "cloudflare has one of apiTokenSecretRef and apiKeySecretRef"
            yield Refusal((*path, "dns01", "cloudflare"), words)
        elif keys == ["apiKeySecretRef"] and not cloudflare.get("email"):
            yield Refusal((*path, "dns01", "cloudflare"), "cloudflare takes apiKeySecretRef with email alone")


def _unproven(model: Model, own: Manifest) -> Iterator[Refusal]:
    """A wildcard of an issuer whose solvers all speak HTTP: an authority proves those by DNS alone."""
    wild = [
        (at, one)
        for at, one in enumerate(own.items("spec", "dnsNames"))
        if isinstance(one, str) and one.startswith("*.")
    ]
    kind = str(own.at("spec", "issuerRef", "kind") or "Issuer")
    space = "" if kind == "ClusterIssuer" else own.namespace
    for issuer, _ in model.find(kind, space, str(own.at("spec", "issuerRef", "name"))) if wild else ():
        solvers = issuer.items("spec", "acme", "solvers")
        if solvers and all(isinstance(one, Mapping) and "http01" in one and "dns01" not in one for one in solvers):
            at, name = wild[0]
            yield Refusal(
                ("spec", "dnsNames", at), f"{name} takes a solver of dns01, and {issuer.thing().label} has http01 alone"
            )
