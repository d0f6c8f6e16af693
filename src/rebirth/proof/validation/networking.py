"""Ingresses, their classes and NetworkPolicies (pkg/apis/networking/validation of Kubernetes 1.35)."""

import ipaddress
import re
from collections.abc import Iterator

from rebirth.proof.validation.labels import selector
from rebirth.proof.validation.values import (
    LABEL,
    Fields,
    Path,
    Refusal,
    at_most_one,
    choice,
    count,
    entries,
    has,
    inner,
    is_known,
    just_one,
    label_of_dns,
    needs,
    number,
    port,
    shown,
    subdomain,
    text,
    texts,
    unlike,
)
from rebirth.proof.words import SUBDOMAIN

_SPEC = ("spec",)
_CLASS = "kubernetes.io/ingress.class"
_WILDCARD = re.compile(r"\*\.(?=.{1,251}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
_CONTROLLER = re.compile(r"(?=.{1,250}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9/_.~!$&'()*+,;=:%-]+")


def ingress(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    if not isinstance(data.get("spec"), dict):
        return
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        yield Refusal(_SPEC, "has neither rules nor a defaultBackend: one of them has to be there")
    if isinstance(spec.get("defaultBackend"), dict):
        yield from _backend(spec["defaultBackend"], (*_SPEC, "defaultBackend"))
    for index, rule in entries(spec, "rules"):
        yield from _rule(rule, (*_SPEC, "rules", index))
    for index, tls in entries(spec, "tls"):
        for at, host in texts(tls, "hosts"):
            if not host:
                yield Refusal((*_SPEC, "tls", index, "hosts", at), "is empty")
            yield from _host(host, (*_SPEC, "tls", index, "hosts", at))
        yield from subdomain(tls, (*_SPEC, "tls", index), "secretName")
    if spec.get("ingressClassName") == "":
        yield Refusal((*_SPEC, "ingressClassName"), "is empty, and names a class")
    marked, named = text(inner(data, "metadata", "annotations"), _CLASS), text(spec, "ingressClassName")
    if marked and named and marked != named:
        yield Refusal(
            ("metadata", "annotations", _CLASS),
            f"is {marked}, and spec.ingressClassName is {named}: both must be the same",
        )


def _rule(rule: Fields, path: Path) -> Iterator[Refusal]:
    host = text(rule, "host")
    if host and _ADDRESS.fullmatch(host):
        yield Refusal((*path, "host"), f"is {host} and must be a name, not an address")
    elif host:
        yield from _host(host, (*path, "host"))
    http = rule.get("http")
    if not isinstance(http, dict):
        return
    if http.get("paths") == []:
        yield Refusal((*path, "http", "paths"), "has no entry, and needs one")
    for index, found in entries(http, "paths"):
        where = (*path, "http", "paths", index)
        yield from _path(found, where)
        if "backend" in found and isinstance(found["backend"], dict):
            yield from _backend(found["backend"], (*where, "backend"))


def _host(host: str, path: Path) -> Iterator[Refusal]:
    if "*" in host and not _WILDCARD.fullmatch(host):
        yield Refusal(path, f"is {shown(host)}, and * stands for the first part of a name alone, as in *.example.com")
    elif "*" not in host and host and not SUBDOMAIN.fullmatch(host):
        yield Refusal(path, f"is {shown(host)} and must be a name of DNS in lower case, without scheme, port and path")


def _path(found: Fields, path: Path) -> Iterator[Refusal]:
    kind, value = text(found, "pathType"), found.get("path") or ""
    if not isinstance(value, str) or not is_known(value):
        return
    if kind in {"Exact", "Prefix"}:
        if not value.startswith("/"):
            yield Refusal(
                (*path, "path"), f"is {value} and must begin with /" if value else "is missing, and must begin with /"
            )
        bad = next((part for part in ("//", "/./", "/../", "%2f", "%2F") if part in value), "")
        if bad or value.endswith(("/..", "/.")):
            yield Refusal((*path, "path"), f"is {shown(value)} and may not have {bad or 'a dot at its end'}")
    elif kind == "ImplementationSpecific" and value and not value.startswith("/"):
        yield Refusal((*path, "path"), f"is {shown(value)} and must begin with /")


def _backend(backend: Fields, path: Path) -> Iterator[Refusal]:
    yield from just_one(backend, path, ("service", "resource"))
    if isinstance(backend.get("service"), dict) and not has(backend, "resource"):
        yield from _service(backend["service"], (*path, "service"))
    if isinstance(backend.get("resource"), dict):
        yield from needs(backend["resource"], (*path, "resource"), "kind", "name")


def _service(service: Fields, path: Path) -> Iterator[Refusal]:
    name = text(service, "name")
    if name and not LABEL.fullmatch(name):
        yield Refusal((*path, "name"), f"is {shown(name)} and must be the name of a Service")
    elif name[:1].isdigit():
        words = f"is {name}, and the name of a Service begins with a letter"
        yield Refusal((*path, "name"), words, unless="it has the feature RelaxedServiceNameValidation")
    found = service.get("port")
    if found is None:
        yield Refusal((*path, "port"), "is missing")
    elif isinstance(found, dict):
        word, at = has(found, "name"), bool(number(found, "number")) or not is_known(found.get("number"))
        if word and at:
            yield Refusal((*path, "port", "number"), "is there beside name, and only one of them may be")
        elif not word and not at:
            yield Refusal((*path, "port"), "has neither name nor number: one of them has to be there")
        yield from port(found, (*path, "port"), "number")
        hint = "the name of a port; a number is written `number:`"
        yield from unlike(found, (*path, "port"), "name", _PORT_NAME, hint)


def ingress_class(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    controller = text(spec, "controller")
    if controller and not _CONTROLLER.fullmatch(controller):
        yield Refusal(
            (*_SPEC, "controller"),
            f"is {shown(controller)} and must be a domain and a path, such as example.com/ingress",
        )
    elif not controller and is_known(spec.get("controller")):
        yield Refusal((*_SPEC, "controller"), "is missing")
    found = inner(spec, "parameters")
    if not found:
        return
    path = (*_SPEC, "parameters")
    yield from needs(found, path, "kind", "name")
    yield from choice(found, path, "scope", "Cluster", "Namespace")
    yield from label_of_dns(found, path, "namespace")
    scope = text(found, "scope") or "Cluster"
    if scope == "Namespace" and not has(found, "namespace"):
        yield Refusal((*path, "namespace"), "is missing beside `scope: Namespace`")
    elif scope == "Cluster" and has(found, "namespace") and is_known(found.get("scope")):
        yield Refusal((*path, "namespace"), "is there without `scope: Namespace`")


def network_policy(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    yield from selector(spec, _SPEC, "podSelector")
    if count(spec, "policyTypes") > 2:
        yield Refusal((*_SPEC, "policyTypes"), "has more than two entries")
    for part, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in entries(spec, part):
            for at, found in entries(rule, "ports"):
                yield from _policy_port(found, (*_SPEC, part, index, "ports", at))
            for at, peer in entries(rule, peers):
                yield from _peer(peer, (*_SPEC, part, index, peers, at))


def _policy_port(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from port(found, path, "endPort")
    first, last = found.get("port"), number(found, "endPort")
    if isinstance(first, str) and is_known(first) and not first.isdigit() and not _PORT_NAME.fullmatch(first):
        yield Refusal((*path, "port"), f"is {shown(first)} and must be the number or name of a port")
    elif isinstance(first, str) and first.isdigit():
        yield Refusal((*path, "port"), f'is the text "{first}" and must be a number, without quotes')
    elif type(first) is int and not 1 <= first <= 65535:
        yield Refusal((*path, "port"), f"is {first} and must be the number of a port, 1 to 65535")
    if last is not None and not isinstance(first, int) and is_known(first):
        yield Refusal((*path, "endPort"), "is there without a port that is a number")
    elif last is not None and isinstance(first, int) and last < first:
        yield Refusal((*path, "endPort"), f"is {last} and must be at least port, {first}")


def _peer(peer: Fields, path: Path) -> Iterator[Refusal]:
    given = [key for key in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(key) is not None]
    if not given:
        yield Refusal(path, "has none of podSelector, namespaceSelector, ipBlock: one of them has to be there")
    elif "ipBlock" in given:
        yield from at_most_one(peer, path, ("ipBlock", "podSelector", "namespaceSelector"))
    for key in ("podSelector", "namespaceSelector"):
        yield from selector(peer, path, key)
    block = peer.get("ipBlock")
    if not isinstance(block, dict):
        return
    where = (*path, "ipBlock")
    if not has(block, "cidr"):
        yield Refusal((*where, "cidr"), "is missing")
        return
    whole = _network(text(block, "cidr"))
    if text(block, "cidr") and whole is None:
        yield Refusal((*where, "cidr"), f"is {shown(block['cidr'])} and must be like 10.0.0.0/8")
    for index, value in texts(block, "except"):
        part = _network(value)
        if part is None:
            yield Refusal((*where, "except", index), f"is {shown(value)} and must be like 10.0.0.0/8")
        elif whole is not None and (part.version != whole.version or part == whole or not _is_in(part, whole)):
            yield Refusal((*where, "except", index), f"is {value}, which is no part of {block['cidr']}")


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(value: str) -> _Network | None:
    try:
        return ipaddress.ip_network(value, strict=False) if "/" in value else None
    except ValueError:
        return None


def _is_in(part: _Network, whole: _Network) -> bool:
    return part.network_address in whole and part.prefixlen > whole.prefixlen
