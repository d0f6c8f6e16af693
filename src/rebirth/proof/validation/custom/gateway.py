"""Gateways and routes (rules in CEL of the Gateway API 1.6's CRDs, those that earlier ones have, too)."""

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
    number,
    shown,
    text,
)

_SPEC = ("spec",)
_FILTERS = {
    "RequestHeaderModifier": "requestHeaderModifier", "ResponseHeaderModifier": "responseHeaderModifier", "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect", "URLRewrite": "urlRewrite", "ExtensionRef": "extensionRef",
}  # fmt: skip
_ONCE = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite")
_REPLACED = {"ReplaceFullPath": "replaceFullPath", "ReplacePrefixMatch": "replacePrefixMatch"}
_NEVER = ("//", "/./", "/../", "%2f", "%2F", "#")


def gateway(data: Fields) -> Iterator[Refusal]:
    seen: set[tuple[int, str, str]] = set()
    for index, listener in entries(inner(data, "spec"), "listeners"):
        path = (*_SPEC, "listeners", index)
        protocol, tls = text(listener, "protocol"), inner(listener, "tls")
        if protocol in {"HTTP", "TCP", "UDP"} and has(listener, "tls"):
            yield Refusal((*path, "tls"), f"is there beside `protocol: {protocol}`, which has none")
        if protocol in {"TCP", "UDP"} and has(listener, "hostname"):
            yield Refusal((*path, "hostname"), f"is there beside `protocol: {protocol}`, which has none")
        if protocol == "HTTPS" and text(tls, "mode") == "Passthrough":
            yield Refusal((*path, "tls", "mode"), "is Passthrough and must be Terminate beside `protocol: HTTPS`")
        certificates = count(tls, "certificateRefs") or tls.get("options") or not is_known(tls.get("certificateRefs"))
        if (
            isinstance(listener.get("tls"), dict)
            and not certificates
            and (tls.get("mode") or "Terminate") == "Terminate"
        ):
            yield Refusal((*path, "tls", "certificateRefs"), "has no entry, and `mode: Terminate` needs one")
        at = number(listener, "port")
        key = (at or 0, protocol, str(listener.get("hostname") or ""))
        if at and all(map(is_known, key)) and key in seen:
            yield Refusal(path, f"has port {at}, protocol {protocol} and hostname of another listener")
        seen.add(key)


def route(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    yield from _parents(spec)
    for index, rule in entries(spec, "rules"):
        path = (*_SPEC, "rules", index)
        if data.get("kind") == "HTTPRoute":
            yield from _http(rule, path)
        yield from _filters(rule, path)
        for at, backend in entries(rule, "backendRefs"):
            where = (*path, "backendRefs", at)
            service = not has(backend, "group") and (text(backend, "kind") or "Service") == "Service"
            if service and is_known(backend.get("kind")) and backend.get("port") is None:
                yield Refusal((*where, "port"), "is missing, and a Service needs it")
            yield from _filters(backend, where)


def _parents(spec: Fields) -> Iterator[Refusal]:
    """Several references to one parent are told apart by section or port."""
    seen: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for index, parent in entries(spec, "parentRefs"):
        key = tuple(str(parent.get(field) or "") for field in ("group", "kind", "namespace", "name"))
        section = tuple(str(parent.get(field) or "") for field in ("sectionName", "port"))
        others = seen.setdefault(key, [])
        if all(map(is_known, (*key, *section))) and (section in others or (others and not any(section))):
            yield Refusal((*_SPEC, "parentRefs", index), f"is {key[-1]} again, and has no sectionName of its own")
        others.append(section)


def _http(rule: Fields, path: Path) -> Iterator[Refusal]:
    for index, match in entries(rule, "matches"):
        found, where = inner(match, "path"), (*path, "matches", index, "path", "value")
        value = found.get("value")
        if (text(found, "type") or "PathPrefix") not in {"Exact", "PathPrefix"} or not is_known(found.get("type")):
            continue
        if isinstance(value, str) and is_known(value):
            if not value.startswith("/"):
                yield Refusal(where, f"is {shown(value)} and must begin with /")
            bad = next((part for part in _NEVER if part in value), "")
            if bad or value.endswith(("/..", "/.")):
                yield Refusal(where, f"is {shown(value)} and may not have {bad or 'a dot at its end'}")
    redirects = any(text(one, "type") == "RequestRedirect" for _, one in entries(rule, "filters"))
    if redirects and count(rule, "backendRefs"):
        yield Refusal((*path, "backendRefs"), "are there beside a RequestRedirect, which answers by itself")


def _filters(owner: Fields, path: Path) -> Iterator[Refusal]:
    seen: set[str] = set()
    for index, found in entries(owner, "filters"):
        where, kind = (*path, "filters", index), text(found, "type")
        if kind in seen and kind in _ONCE:
            yield Refusal((*where, "type"), f"is {kind}, which is there already")
        seen.add(kind)
        wanted = _FILTERS.get(kind)
        if wanted is None:
            continue
        if not has(found, wanted):
            yield Refusal((*where, wanted), f"is missing beside `type: {kind}`")
        for field in _FILTERS.values():
            if field != wanted and has(found, field):
                yield Refusal((*where, field), f"is there beside `type: {kind}`, which takes {wanted} alone")
        yield from _replaced(inner(found, wanted, "path"), (*where, wanted, "path"))
    if {"RequestRedirect", "URLRewrite"} <= seen:
        yield Refusal((*path, "filters"), "have a RequestRedirect and a URLRewrite, and only one of them may be")


def _replaced(found: Fields, path: Path) -> Iterator[Refusal]:
    wanted = _REPLACED.get(text(found, "type"))
    for field in _REPLACED.values() if wanted else ():
        there = found.get(field) is not None
        if there != (field == wanted):
            said = "is there" if there else "is missing"
            yield Refusal((*path, field), f"{said} beside `type: {found['type']}`")
