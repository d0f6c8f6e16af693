"""What operators' webhooks refuse of their own kinds, and their CRDs' rules in CEL: External Secrets 0.20, cert-manager 1.21, MetalLB 0.15,
CloudNativePG 1.28, the Tailscale operator 1.90, Longhorn 1.10.
"""

import ipaddress
from collections.abc import Iterator

from rebirth.proof.validation.schedules import unreadable
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    at_most_one,
    count,
    entries,
    has,
    inner,
    is_known,
    just_one,
    needs,
    number,
    shown,
    subdomain,
    text,
    texts,
)

_SPEC = ("spec",)
_CERT, _LB, _CNPG, _LONGHORN = "cert-manager", "MetalLB", "CloudNativePG", "Longhorn"
_SUBJECTS = ("commonName", "literalSubject", "dnsNames", "uris", "emailAddresses", "ipAddresses", "otherNames")
_DNS01 = (
    "akamai", "cloudDNS", "cloudflare", "route53", "azureDNS", "digitalocean", "acmeDNS", "rfc2136", "webhook",
)  # fmt: skip
_RESERVED = ("postgres", "template0", "template1")


def _by(operator: str, refusals: Iterator[Refusal]) -> Iterator[Refusal]:
    """What an operator's webhook refuses, and not the API server itself."""
    for refusal in refusals:
        yield refusal._replace(by=operator)


def external_secret(data: Fields) -> Iterator[Refusal]:
    for refusal in _external_secret(inner(data, "spec")):
        yield refusal._replace(unless="External Secrets runs without its webhook")


def _external_secret(spec: Fields) -> Iterator[Refusal]:
    if not spec:
        return
    if (
        not count(spec, "data")
        and not count(spec, "dataFrom")
        and all(is_known(spec.get(k)) for k in ("data", "dataFrom"))
    ):
        yield Refusal(_SPEC, "has neither data nor dataFrom: one of them has to be there")
    for index, source in entries(spec, "dataFrom"):
        path = (*_SPEC, "dataFrom", index)
        given = [key for key in ("extract", "find") if source.get(key) is not None]
        generated = inner(source, "sourceRef").get("generatorRef") is not None
        if not given and source.get("sourceRef") is None:
            yield Refusal(path, "has none of extract, find, sourceRef: one of them has to be there")
        elif len(given) + generated > 1:
            yield Refusal(
                path,
                f"has {' and '.join([*given, *(['a generator'] if generated else [])])}, and only one of them may be",
            )
    target = inner(spec, "target")
    created, deleted = text(target, "creationPolicy"), text(target, "deletionPolicy")
    if deleted == "Delete" and created in {"Merge", "None"}:
        yield Refusal(
            (*_SPEC, "target", "deletionPolicy"),
            f"is Delete beside `creationPolicy: {created}`, which does not own the Secret",
        )
    elif deleted == "Merge" and created == "None":
        yield Refusal(
            (*_SPEC, "target", "deletionPolicy"), "is Merge beside `creationPolicy: None`: there is no Secret"
        )


def certificate(data: Fields) -> Iterator[Refusal]:
    yield from _by(_CERT, _certificate(inner(data, "spec")))


def _certificate(spec: Fields) -> Iterator[Refusal]:
    if not spec:
        return
    yield from subdomain(spec, _SPEC, "secretName")
    if not any(spec.get(field) for field in _SUBJECTS):
        yield Refusal(_SPEC, f"has none of {', '.join(_SUBJECTS)}: one of them has to be there")
    name = text(spec, "commonName")
    if len(name) > 64:
        yield Refusal((*_SPEC, "commonName"), f"has {len(name)} characters and may have 64; put the name into dnsNames")
    issuer = inner(spec, "issuerRef")
    kind, group = text(issuer, "kind"), text(issuer, "group")
    if (
        group in {"", "cert-manager.io"}
        and kind not in {"", "Issuer", "ClusterIssuer"}
        and is_known(issuer.get("group"))
    ):
        yield Refusal(
            (*_SPEC, "issuerRef", "kind"), f"is {shown(kind)} and must be Issuer or ClusterIssuer, or have a group"
        )
    key = inner(spec, "privateKey")
    algorithm, size = text(key, "algorithm") or "RSA", number(key, "size")
    if size and algorithm == "RSA" and not 2048 <= size <= 8192 and is_known(key.get("algorithm")):
        yield Refusal((*_SPEC, "privateKey", "size"), f"is {size} and must be from 2048 to 8192 for RSA")
    elif size and algorithm == "ECDSA" and size not in {256, 384, 521}:
        yield Refusal((*_SPEC, "privateKey", "size"), f"is {size} and must be 256, 384 or 521 for ECDSA")


def issuer(data: Fields) -> Iterator[Refusal]:
    yield from _by(_CERT, _issuer(inner(data, "spec")))


def _issuer(spec: Fields) -> Iterator[Refusal]:
    if not spec:
        return
    yield from just_one(spec, _SPEC, ("acme", "ca", "selfSigned", "vault", "venafi"))
    acme, path = inner(spec, "acme"), (*_SPEC, "acme")
    if acme:
        yield from needs(inner(acme, "privateKeySecretRef"), (*path, "privateKeySecretRef"), "name")
    for index, solver in entries(acme, "solvers"):
        yield from _solver(solver, (*path, "solvers", index))


def _solver(solver: Fields, path: Path) -> Iterator[Refusal]:
    yield from just_one(solver, path, ("http01", "dns01"))
    if isinstance(solver.get("http01"), dict):
        yield from just_one(solver["http01"], (*path, "http01"), ("ingress", "gatewayHTTPRoute"))
    if isinstance(solver.get("dns01"), dict):
        yield from just_one(solver["dns01"], (*path, "dns01"), _DNS01)
    ingress = inner(solver, "http01", "ingress")
    yield from at_most_one(ingress, (*path, "http01", "ingress"), ("ingressClassName", "class", "name"))


def address_pool(data: Fields) -> Iterator[Refusal]:
    for index, block in texts(inner(data, "spec"), "addresses"):
        if wrong := _no_block(block):
            yield Refusal((*_SPEC, "addresses", index), f"is {shown(block)}, {wrong}", by=_LB)


def _no_block(block: str) -> str:
    """What is wrong with a block or range of addresses; "" where nothing is."""
    ends = block.split("-", 1)
    try:
        if len(ends) == 1:
            if "/" not in block:
                return "and must be a block such as 192.168.1.0/28, or a range; one address is written with /32"
            ipaddress.ip_network(block, strict=False)
            return ""
        first, last = (ipaddress.ip_address(end.strip()) for end in ends)
    except ValueError:
        return "and must be a block such as 192.168.1.0/28, or a range such as 192.168.1.10-192.168.1.20"
    return "whose end is before its start" if first.version == last.version and int(first) > int(last) else ""


def cluster(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    yield from at_most_one(spec, _SPEC, ("imageName", "imageCatalogRef"))
    bootstrap = inner(spec, "bootstrap")
    yield from _by(_CNPG, at_most_one(bootstrap, (*_SPEC, "bootstrap"), ("initdb", "recovery", "pg_basebackup")))


def database(data: Fields) -> Iterator[Refusal]:
    name = text(inner(data, "spec"), "name")
    if name in _RESERVED:
        yield Refusal((*_SPEC, "name"), f"is {name}, which is PostgreSQL's own")


def connector(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    if not isinstance(data.get("spec"), dict):
        return
    leaves = has(spec, "subnetRouter") or spec.get("exitNode") is True
    if not leaves and not has(spec, "appConnector") and is_known(spec.get("exitNode")):
        yield Refusal(_SPEC, "has none of subnetRouter, exitNode, appConnector: one of them has to be there")
    elif leaves and has(spec, "appConnector"):
        yield Refusal((*_SPEC, "appConnector"), "is there beside subnetRouter or exitNode, and only one of them may be")


def recurring_job(data: Fields) -> Iterator[Refusal]:
    schedule = text(inner(data, "spec"), "cron")
    if wrong := unreadable(schedule) if schedule else "":
        yield Refusal((*_SPEC, "cron"), f"is {schedule}: {wrong}", by=_LONGHORN)
