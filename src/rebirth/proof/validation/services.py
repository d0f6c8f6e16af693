"""Services (validateService of Kubernetes 1.35)."""

import re
from collections.abc import Iterator

from rebirth.proof.validation.labels import labels
from rebirth.proof.validation.pods import is_address
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    choice,
    count,
    entries,
    has,
    inner,
    is_known,
    is_qualified,
    number,
    shown,
    text,
    texts,
    within,
)
from rebirth.proof.words import SUBDOMAIN

_PATH = ("spec",)
_EXTERNAL = frozenset({"LoadBalancer", "NodePort"})
_RANGE = (30000, 32767)
_BLOCK = re.compile(r"[0-9a-fA-F:.]+/\d{1,3}")


def service(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    kind = spec.get("type") or "ClusterIP"
    name = text(inner(data, "metadata"), "name")
    if name[:1].isdigit():
        words = f"is {name}, and the name of a Service begins with a letter"
        yield Refusal(("metadata", "name"), words, unless="it has the feature RelaxedServiceNameValidation")
    if not isinstance(data.get("spec"), dict) or not isinstance(kind, str) or not is_known(kind):
        return
    headless = spec.get("clusterIP") == "None"
    needed = not headless and kind != "ExternalName" and is_known(spec.get("clusterIP"))
    if needed and not count(spec, "ports") and is_known(spec.get("ports")):
        yield Refusal((*_PATH, "ports"), "has no entry, and only a headless Service (`clusterIP: None`) may have none")
    yield from _ports(spec, kind)
    yield from _of_type(spec, kind, headless=headless)
    yield from _traffic(spec, kind)
    yield from _addresses(spec)
    yield from labels(spec, _PATH, "selector")
    yield from _affinity(spec)


def _ports(spec: Fields, kind: str) -> Iterator[Refusal]:
    several = count(spec, "ports") > 1
    names: set[str] = set()
    ports: set[tuple[str, int]] = set()
    nodes: set[tuple[str, int]] = set()
    for index, entry in entries(spec, "ports"):
        path = (*_PATH, "ports", index)
        name = text(entry, "name")
        protocol = text(entry, "protocol") if has(entry, "protocol") else "TCP"
        if several and not has(entry, "name"):
            yield Refusal((*path, "name"), "is missing, and a Service with several ports names each")
        if name in names:
            yield Refusal((*path, "name"), f"is {name}, which another port of the Service has, too")
        names |= {name} - {""}
        at = number(entry, "port")
        if at is not None:
            if not 1 <= at <= 65535:
                yield Refusal((*path, "port"), f"is {at} and must be the number of a port, 1 to 65535")
            if protocol and (protocol, at) in ports:
                yield Refusal((*path, "port"), f"is {at}, which another port of the Service with {protocol} is, too")
            ports.add((protocol, at))
        target = entry.get("targetPort")
        if type(target) is int and not 0 <= target <= 65535:
            yield Refusal((*path, "targetPort"), f"is {target} and must be the number of a port, 1 to 65535")
        yield from _node_port(entry, path, kind, protocol, nodes)
        word = text(entry, "appProtocol")
        if entry.get("appProtocol") == "":
            yield Refusal((*path, "appProtocol"), "is empty")
        if word and not is_qualified(word):
            yield Refusal((*path, "appProtocol"), f"is {shown(word)} and must be a word, behind a domain and / or not")


def _node_port(entry: Fields, path: Path, kind: str, protocol: str, seen: set[tuple[str, int]]) -> Iterator[Refusal]:
    at = number(entry, "nodePort")
    if not at:
        return
    if kind == "ClusterIP":
        yield Refusal((*path, "nodePort"), "is there beside `type: ClusterIP`; it needs NodePort or LoadBalancer")
    elif kind in _EXTERNAL:
        if (protocol, at) in seen:
            yield Refusal((*path, "nodePort"), f"is {at}, which another port of the Service has, too")
        elif not 1 <= at <= 65535:
            yield Refusal((*path, "nodePort"), f"is {at} and must be the number of a port, {_RANGE[0]} to {_RANGE[1]}")
        elif not _RANGE[0] <= at <= _RANGE[1]:
            words = f"is {at} and must be from {_RANGE[0]} to {_RANGE[1]}"
            yield Refusal((*path, "nodePort"), words, unless="it has another --service-node-port-range")
        seen.add((protocol, at))


def _of_type(spec: Fields, kind: str, *, headless: bool) -> Iterator[Refusal]:
    """Fields that go with some types alone."""
    if headless and kind in _EXTERNAL:
        yield Refusal((*_PATH, "clusterIP"), f"is None beside `type: {kind}`, which needs an address")
    if kind == "ExternalName":
        yield from _external_name(spec)
    if kind != "LoadBalancer":
        for field in ("loadBalancerClass", "loadBalancerSourceRanges", "allocateLoadBalancerNodePorts"):
            if has(spec, field) and spec[field] != []:
                yield Refusal((*_PATH, field), f"is there beside `type: {kind}`; only LoadBalancer takes it")
    name = text(spec, "loadBalancerClass")
    if name and not is_qualified(name):
        yield Refusal(
            (*_PATH, "loadBalancerClass"), f"is {shown(name)} and must be a word, behind a domain and / or not"
        )
    for index, block in texts(spec, "loadBalancerSourceRanges"):
        if not _BLOCK.fullmatch(block.strip()):
            yield Refusal((*_PATH, "loadBalancerSourceRanges", index), f"is {shown(block)} and must be like 10.0.0.0/8")


def _external_name(spec: Fields) -> Iterator[Refusal]:
    name = text(spec, "externalName").removesuffix(".")
    if not has(spec, "externalName"):
        yield Refusal((*_PATH, "externalName"), "is missing beside `type: ExternalName`")
    elif name and not SUBDOMAIN.fullmatch(name):
        yield Refusal((*_PATH, "externalName"), f"is {shown(name)} and must be a name of DNS in lower case")
    for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if has(spec, field) and spec[field] != []:
            yield Refusal((*_PATH, field), "may not be there beside `type: ExternalName`")


def _traffic(spec: Fields, kind: str) -> Iterator[Refusal]:
    """Where what comes in is sent."""
    if kind not in _EXTERNAL and has(spec, "externalTrafficPolicy") and not _has_addresses(spec, kind):
        words = f"is there beside `type: {kind}`; only a Service that is reached from outside has it"
        yield Refusal((*_PATH, "externalTrafficPolicy"), words)
    checked = kind == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
    if number(spec, "healthCheckNodePort") and not checked and is_known(spec.get("externalTrafficPolicy")):
        words = "is there without `type: LoadBalancer` and `externalTrafficPolicy: Local`"
        yield Refusal((*_PATH, "healthCheckNodePort"), words)
    yield from choice(spec, _PATH, "internalTrafficPolicy", "Cluster", "Local")
    yield from choice(spec, _PATH, "ipFamilyPolicy", "SingleStack", "PreferDualStack", "RequireDualStack")
    yield from choice(spec, _PATH, "trafficDistribution", "PreferClose", "PreferSameZone", "PreferSameNode")


def _has_addresses(spec: Fields, kind: str) -> bool:
    """Whether a Service of the cluster alone is reached from outside all the same."""
    return kind == "ClusterIP" and bool(spec.get("externalIPs"))


def _addresses(spec: Fields) -> Iterator[Refusal]:
    own = text(spec, "clusterIP")
    if own and own != "None":
        yield from is_address(own, (*_PATH, "clusterIP"))
    listed = [address for _, address in texts(spec, "clusterIPs")]
    for index, address in enumerate(listed):
        if address != "None":
            yield from is_address(address, (*_PATH, "clusterIPs", index))
        elif len(listed) > 1:
            yield Refusal((*_PATH, "clusterIPs", index), "is None, which has to be the only entry")
    if listed and own and listed[0] != own:
        yield Refusal((*_PATH, "clusterIPs", 0), f"is {shown(listed[0])} and must be what clusterIP is, {own}")
    for index, address in texts(spec, "externalIPs"):
        yield from is_address(address, (*_PATH, "externalIPs", index))
    seen: set[str] = set()
    for index, family in texts(spec, "ipFamilies"):
        if family not in {"IPv4", "IPv6"} or family in seen:
            words = "which is there twice" if family in seen else "which is neither IPv4 nor IPv6"
            yield Refusal((*_PATH, "ipFamilies", index), f"is {shown(family)}, {words}")
        seen.add(family)


def _affinity(spec: Fields) -> Iterator[Refusal]:
    if text(spec, "sessionAffinity") == "ClientIP":
        path = (*_PATH, "sessionAffinityConfig", "clientIP")
        yield from within(inner(spec, "sessionAffinityConfig", "clientIP"), path, 1, 86400, "timeoutSeconds")
