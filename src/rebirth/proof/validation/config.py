"""Secrets and ConfigMaps, and what limits a namespace (pkg/apis/core/validation of Kubernetes 1.35)."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping

from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    amounts,
    entries,
    has,
    inner,
    is_known,
    is_qualified,
    needs,
    needs_entry,
    one_of,
    text,
    texts,
)

_LARGEST = 1 << 20  # bytes of all values together
_JSON = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")
_NEEDED = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"), "kubernetes.io/ssh-auth": ("ssh-privatekey",), _JSON[0]: (".dockerconfigjson",),
    _JSON[1]: (".dockercfg",),
}  # fmt: skip
_LOGIN = ("username", "password")
_OF_ACCOUNT = "kubernetes.io/service-account.name"
_QUOTAS = frozenset({
    "cpu", "memory", "ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
    "persistentvolumeclaims", "services.nodeports", "services.loadbalancers", "requests.storage",
    *(f"{part}.{name}" for part in ("requests", "limits") for name in ("cpu", "memory", "ephemeral-storage")),
})  # fmt: skip
_SCOPES = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity")


def config_map(data: Fields) -> Iterator[Refusal]:
    plain, binary = inner(data, "data"), inner(data, "binaryData")
    for key in plain.keys() & binary.keys():
        yield Refusal(("data", key), "is in binaryData, too")
    size = sum(len(value.encode()) for value in plain.values() if isinstance(value, str))
    size += sum(len(value) * 3 // 4 for value in binary.values() if isinstance(value, str))
    if size > _LARGEST:
        yield Refusal(("data",), f"has {size} bytes and may have {_LARGEST}, one MiB")


def secret(data: Fields) -> Iterator[Refusal]:
    """Of what SOPS has encrypted, names alone are looked at."""
    kind = text(data, "type")
    parts = [data.get(part) for part in ("data", "stringData")]
    said = {key: value for part in parts if isinstance(part, Mapping) for key, value in part.items()}
    if not kind or not all(isinstance(part, Mapping | None) for part in parts) or not all(map(is_known, said)):
        return  # told elsewhere, or not known
    place: Path = next(((part,) for part in ("data", "stringData") if inner(data, part)), ())
    needed = _NEEDED.get(kind, ())
    if said.get("ssh-privatekey") == "" and "ssh-privatekey" in needed:
        yield Refusal((*place, "ssh-privatekey"), "is empty")
    for key in needed:
        if key not in said:
            yield Refusal(place, f"has no {key}, and `type: {kind}` needs it")
    if kind in _JSON and needed[0] in said:
        part = "stringData" if needed[0] in inner(data, "stringData") else "data"
        if _is_no_json(said[needed[0]], encoded=part == "data"):
            yield Refusal((part, needed[0]), "is no mapping in JSON")
    if kind == "kubernetes.io/basic-auth" and not any(key in said for key in _LOGIN):
        yield Refusal(place, f"has neither username nor password, and `type: {kind}` needs one of them")
    if kind == "kubernetes.io/service-account-token" and not has(inner(data, "metadata", "annotations"), _OF_ACCOUNT):
        yield Refusal(("metadata", "annotations"), f"has no {_OF_ACCOUNT}, and `type: {kind}` needs it")


def _is_no_json(value: object, *, encoded: bool) -> bool:
    """Nothing is told of a value but whether it can be read."""
    if not isinstance(value, str) or not is_known(value):
        return False
    try:
        found = json.loads(base64.b64decode(value.replace("\n", "")) if encoded else value)
    except (binascii.Error, UnicodeDecodeError):
        return False  # not base64: told elsewhere
    except ValueError:
        return True
    return not isinstance(found, dict | None)


def limit_range(data: Fields) -> Iterator[Refusal]:
    seen: set[str] = set()
    for index, limit in entries(inner(data, "spec"), "limits"):
        path = ("spec", "limits", index)
        kind = text(limit, "type")
        yield from needs(limit, path, "type")
        if kind and "/" not in kind:
            yield from one_of(limit, path, "type", "Pod", "Container", "PersistentVolumeClaim")
        if kind in seen:
            yield Refusal((*path, "type"), f"is {kind}, which another entry has, too")
        seen |= {kind} - {""}
        if kind == "Pod":
            for field in ("default", "defaultRequest"):
                if limit.get(field):
                    yield Refusal((*path, field), "may not be there beside `type: Pod`")
        if kind == "PersistentVolumeClaim" and not any("storage" in inner(limit, field) for field in ("min", "max")):
            yield Refusal(
                path, "has neither min nor max for storage, and `type: PersistentVolumeClaim` needs one of them"
            )
        yield from _ordered(limit, path, kind)


def _ordered(limit: Fields, path: Path, kind: str) -> Iterator[Refusal]:
    """What is least is not more than what is most."""
    found = {field: dict(amounts(limit, field)) for field in ("min", "defaultRequest", "default", "max")}
    if kind == "Container":  # as they are where they are not written
        found["default"] = {**found["max"], **found["default"]}
        found["defaultRequest"] = {**found["min"], **found["default"], **found["defaultRequest"]}
    pairs = (("min", "max"), ("default", "max"), ("defaultRequest", "default"), ("min", "defaultRequest"), ("min", "default"),
             ("defaultRequest", "max"))  # fmt: skip
    told: set[str] = set()
    for less, more in pairs:
        for name in found[less].keys() & found[more].keys():
            if found[less][name] > found[more][name] and name not in told:
                told.add(name)
                where = less if name in inner(limit, less) else more
                yield Refusal((*path, where, name), f"does not go together with the others: {less} is more than {more}")


def resource_quota(data: Fields) -> Iterator[Refusal]:
    spec = inner(data, "spec")
    for name, value in amounts(spec, "hard"):
        path = ("spec", "hard", name)
        if (
            "/" not in name
            and name not in _QUOTAS
            and not name.startswith(("hugepages-", "requests.hugepages-", "limits.hugepages-"))
        ):
            yield Refusal(path, "is nothing that a quota counts; objects of a kind are written count/deployments.apps")
        elif "/" in name and not is_qualified(name):
            yield Refusal(path, "is no name of a resource")
        elif value < 0:
            yield Refusal(path, f"is {value} and must be at least 0")
    yield from _scopes(spec)


def _scopes(spec: Fields) -> Iterator[Refusal]:
    for index, found in entries(inner(spec, "scopeSelector"), "matchExpressions"):
        path = ("spec", "scopeSelector", "matchExpressions", index)
        yield from one_of(found, path, "scopeName", *_SCOPES, "VolumeAttributesClass")
        yield from one_of(found, path, "operator", "In", "NotIn", "Exists", "DoesNotExist")
        if text(found, "operator") in {"In", "NotIn"}:
            yield from needs_entry(found, path, "values")
    scopes = [scope for _, scope in texts(spec, "scopes")]
    for index, scope in texts(spec, "scopes"):
        if scope not in _SCOPES and scope != "VolumeAttributesClass":
            yield Refusal(("spec", "scopes", index), f"is {scope} and must be one of {', '.join(_SCOPES)}")
    for one, other in (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")):
        if one in scopes and other in scopes:
            yield Refusal(("spec", "scopes", scopes.index(other)), f"is {other} beside {one}")
