"""cert-manager: issuers, Certificates, and those that it makes for Ingresses and Gateways by their annotations."""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import external_secrets, meeting
from rebirth.proof.sources.meeting import CERT_MANAGER
from rebirth.proof.things import ALWAYS, Milestone, Need, Place, Thing

_ISSUERS = ("Issuer", "ClusterIssuer")
_SHIM = {f"{CERT_MANAGER}/issuer": "Issuer", f"{CERT_MANAGER}/cluster-issuer": "ClusterIssuer"}
_KEYS = ("tls.crt", "tls.key", "ca.crt")
_RESOURCES = "cert-manager"  # the namespace in which a ClusterIssuer looks for Secrets


def read(model: Model, graph: Graph) -> None:
    for member, _ in model.objects(*_ISSUERS):
        if member.group == CERT_MANAGER:
            _issuer(model, member, graph)
    for member, _ in model.objects("Certificate"):
        if member.group == CERT_MANAGER:
            _certificate(model, member, graph)
    for member, _ in model.objects("Ingress", "Gateway"):
        _annotated(model, member, graph)


def _home(model: Model, kind: str, namespace: str) -> str:
    """Where an issuer looks for its Secrets."""
    if kind == "Issuer":
        return namespace
    operator = next((known for known in knowledge.operators() if known.name == _RESOURCES), None)
    for release, _ in model.objects("HelmRelease"):
        if release.at("spec", "chart", "spec", "chart") == _RESOURCES or release.name == _RESOURCES:
            return str(release.at("spec", "targetNamespace") or release.namespace)
    return operator.namespace if operator else _RESOURCES


def _issuer(model: Model, member: Manifest, graph: Graph) -> None:
    done = meeting.runs(member, graph)
    home = _home(model, member.kind, member.namespace)
    if name := member.at("spec", "ca", "secretName"):
        of, place = meeting.secret(home, str(name)), member.place("spec", "ca", "secretName")
        graph.wanted(of)
        graph.needs(done, of, Need.SECRET, place, "the CA that it signs with")
        graph.reads(done, of, "tls.key", place)
    acme = member.mapping("spec", "acme")
    if acme:
        key = member.at("spec", "acme", "privateKeySecretRef", "name")
        if isinstance(key, str):
            graph.makes(done, meeting.secret(home, key), member.place("spec", "acme", "privateKeySecretRef"))
            graph.holds(meeting.secret(home, key), ["tls.key"], member.place("spec", "acme", "privateKeySecretRef"))
        _credentials(member, ("spec", "acme", "externalAccountBinding"), home, done, graph)
        _name(member, ("spec", "acme", "server"), done, graph)
        # The issuer is Ready without them: they are read when it has to solve a challenge.
        _credentials(member, ("spec", "acme", "solvers"), home, member.thing(Milestone.SERVES), graph)
    if member.mapping("spec", "vault"):
        _credentials(member, ("spec", "vault"), home, done, graph)
        _name(member, ("spec", "vault", "server"), done, graph)


def _credentials(member: Manifest, path: tuple[str, ...], home: str, by: Thing, graph: Graph) -> None:
    for field, named, inside in external_secrets.named(member.at(*path)):
        of, place = meeting.secret(home, str(named["name"])), member.place(*path, *inside)
        graph.wanted(of)
        graph.needs(by, of, Need.SECRET, place, field)
        if named.get("key"):
            graph.reads(by, of, str(named["key"]), place)
    own = member.at(*path, "keySecretRef")
    if path[-1] == "externalAccountBinding" and isinstance(own, Mapping) and own.get("name"):
        of = meeting.secret(home, str(own["name"]))
        graph.wanted(of)
        graph.needs(by, of, Need.SECRET, member.place(*path, "keySecretRef"))


def _name(member: Manifest, path: tuple[str, ...], by: Thing, graph: Graph) -> None:
    if host := external_secrets.host_of(member.at(*path)):
        graph.needs(by, thing("name", "", host, Milestone.RESOLVES), Need.NAME, member.place(*path), host)


def _certificate(model: Model, member: Manifest, graph: Graph) -> None:
    done = meeting.runs(member, graph)
    signer = member.mapping("spec", "issuerRef")
    place = member.place("spec", "issuerRef")
    if signer.get("name") and str(signer.get("group") or CERT_MANAGER) == CERT_MANAGER:
        _signed(model, done, str(signer.get("kind") or "Issuer"), member.namespace, str(signer["name"]), place, graph)
    if name := member.at("spec", "secretName"):
        of = meeting.secret(member.namespace, str(name))
        graph.makes(done, of, member.place("spec", "secretName"))
        graph.holds(of, _keys(member), member.place("spec", "secretName"))


def _keys(member: Manifest) -> set[str]:
    made = set(_KEYS)
    if member.at("spec", "keystores", "jks", "create") is True:
        made |= {"keystore.jks", "truststore.jks"}
    if member.at("spec", "keystores", "pkcs12", "create") is True:
        made |= {"keystore.p12", "truststore.p12"}
    kinds = {"CombinedPEM": "tls-combined.pem", "DER": "key.der"}
    made |= {kinds[str(one.get("type"))] for one in member.items("spec", "additionalOutputFormats")
             if isinstance(one, Mapping) and one.get("type") in kinds}  # fmt: skip
    return made


def _signed(model: Model, done: Thing, kind: str, namespace: str, name: str, place: Place, graph: Graph) -> None:
    """A certificate needs its issuer, and to solve an ACME challenge the Secrets of the issuer's solvers."""
    if kind not in _ISSUERS:
        return
    space = "" if kind == "ClusterIssuer" else namespace
    signer = thing(kind, space, name, Milestone.READY)
    graph.wanted(signer._replace(milestone=Milestone.EXISTS))
    graph.needs(signer, signer._replace(milestone=Milestone.EXISTS), Need.APPLIED_BY, place)
    graph.needs(done, signer, Need.CERTIFICATE, place)
    for issuer, _ in model.find(kind, space, name):
        if issuer.items("spec", "acme", "solvers"):
            home = _home(model, kind, namespace)
            for field, named, inside in external_secrets.named(issuer.items("spec", "acme", "solvers")):
                of, where = meeting.secret(home, str(named["name"])), issuer.place("spec", "acme", "solvers", *inside)
                graph.wanted(of)
                graph.needs(done, of, Need.SECRET, where, f"{field} of {kind} {name}")


def _annotated(model: Model, member: Manifest, graph: Graph) -> None:
    """cert-manager makes a Certificate for every TLS Secret of what carries its annotation."""
    for annotation, kind in _SHIM.items():
        name = member.annotations.get(annotation)
        if not isinstance(name, str) or not name:
            continue
        place = member.place("metadata", "annotations", annotation)
        for secret_name in dict.fromkeys(_certificates(member)):
            made = thing("Certificate", member.namespace, secret_name, Milestone.READY)
            if model.find("Certificate", member.namespace, secret_name) or _is_made(model, member, secret_name):
                continue
            graph.needs(made, member.thing(), Need.MADE_BY, place)
            known = knowledge.of_kind(CERT_MANAGER, "Certificate")
            if known and graph.makers(known.thing):
                graph.needs(made, known.thing, Need.WORKLOAD, place, f"{known.title} makes it", scope=ALWAYS)
            if str(member.annotations.get(f"{CERT_MANAGER}/issuer-group") or CERT_MANAGER) == CERT_MANAGER:
                _signed(model, made, kind, member.namespace, name, place, graph)
            graph.makes(made, meeting.secret(member.namespace, secret_name), place)
            graph.holds(meeting.secret(member.namespace, secret_name), _KEYS, place)


def _is_made(model: Model, member: Manifest, secret_name: str) -> bool:
    """Whether a Certificate makes what a Gateway shows: cert-manager looks at Gateways only where it is told to, so this one is meant."""
    return member.kind == "Gateway" and any(
        one.namespace == member.namespace and one.group == CERT_MANAGER and one.at("spec", "secretName") == secret_name
        for one, _ in model.objects("Certificate")
    )


def _certificates(member: Manifest) -> Iterator[str]:
    if member.kind == "Ingress":
        for entry in member.items("spec", "tls"):
            yield from _texts(entry.get("secretName") if isinstance(entry, Mapping) else None)
        return
    for index, _ in enumerate(member.items("spec", "listeners")):
        for one in member.items("spec", "listeners", index, "tls", "certificateRefs"):
            if isinstance(one, Mapping) and str(one.get("namespace") or member.namespace) == member.namespace:
                yield from _texts(one.get("name"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
