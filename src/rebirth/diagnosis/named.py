"""What the words of one object say of another: who cannot reach a Service waits for what is behind it.

The words are those of Go's network library, of the API server (k8s.io/apiserver 0.35) and of the kubelet.
"""

import re
from collections.abc import Iterator

from rebirth.diagnosis.cause import Cause, Outlook, label
from rebirth.diagnosis.search import Search
from rebirth.diagnosis.wanted import Key

_URL = re.compile(r"//([a-z0-9-]+)\.([a-z0-9-]+)\.svc\b")
_DIALED = re.compile(r"\bdial (?:tcp|udp) \[?([0-9a-f.:]+?)\]?:\d+: ")
_LOOKUP = re.compile(r"\blookup (\S+) on \[?([0-9a-f.:]+?)\]?:53: (.+?)(?:$|; |\")")
_NO_SUCH_HOST = "no such host"  # cluster DNS did answer
_ABSENT = re.compile(r"\b(secret|configmap) \"([\w.-]+)\" not found", re.IGNORECASE)
_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}
_QUOTA = re.compile(r"(?:exceeded|failed) quota: ([\w.-]+)[,:] (requested: .*?limited: \S+|must specify .*)")
_OBJECT = re.compile(r"\b[A-Z]\w+/([a-z0-9-]+)/[\w.:-]+ dry-run failed")  # as kustomize-controller names it
_ATTACHED = "Multi-Attach error"  # the volume is still with a machine that is gone
_EXPIRED = "certificate has expired"


def said(search: Search, key: Key, message: str, outlook: Outlook) -> list[Cause]:
    """What an object says of itself; or the causes of what it names, where that is not well."""
    below = list(_named(search, key, message))
    return below or [Cause(key, message, outlook)]


def _named(search: Search, key: Key, message: str) -> Iterator[Cause]:
    for match in _URL.finditer(message):
        yield from _behind(search, ("Service", match[2], match[1]), message)
    for match in _DIALED.finditer(message):
        if service := search.addresses.get(match[1]):
            yield from _behind(search, service, message)
    for match in _LOOKUP.finditer(message):
        yield from _resolver(search, *match.groups())
    for match in _ABSENT.finditer(message):
        named = _KINDS[match[1].lower()], key[1], match[2]
        yield from search.missing(named, f"{label(key)} needs it") if search.is_absent(named) else ()
    if _ATTACHED in message:
        yield from (cause for node, _ in search.kinds("Node") for cause in search.of(node))
    if quoted := _QUOTA.search(message):
        namespace = found[1] if (found := _OBJECT.search(message)) else key[1]
        quota = ("ResourceQuota", namespace, quoted[1])
        if quota in search.objects:
            search.of(quota)
            yield Cause(quota, f"does not allow it: {quoted[2]}", Outlook.STUCK)


def _behind(search: Search, service: Key, message: str) -> Iterator[Cause]:
    if service not in search.objects and not search.is_absent(service):
        return
    yield from search.of(service)
    if _EXPIRED in message and service in search.objects:
        spec = search.objects[service].get("spec") or {}
        mounted = {
            (volume.get("secret") or {}).get("secretName")
            for _, pod in search.pods(service[1], spec.get("selector") or {})
            for volume in (pod.get("spec") or {}).get("volumes") or []
        }
        for certificate, item in search.kinds("Certificate"):
            if certificate[1] == service[1] and (item.get("spec") or {}).get("secretName") in mounted:
                yield from search.of(certificate)


def _resolver(search: Search, name: str, address: str, why: str) -> Iterator[Cause]:
    """Where cluster DNS itself is what is wrong. What a machine's own resolver says is nothing of the cluster's."""
    if service := search.addresses.get(address):
        if below := search.of(service):
            yield from below
        elif _NO_SUCH_HOST not in why:
            yield Cause(service, f"does not resolve {name}: {why}", Outlook.STUCK)
        return
    for there, service in search.addresses.items():
        if service[2] in {"kube-dns", "coredns", "rke2-coredns-rke2-coredns"} and _near(there, address):
            search.of(service)
            words = f"has the address {there}, but names are asked of {address}, and no Service has that"
            yield Cause(service, words, Outlook.STUCK)
            return


def _near(one: str, other: str) -> bool:
    """Whether both are addresses of Services, as far as can be told: half of an address of version 4 is the same."""
    return one.count(".") == other.count(".") == 3 and one.split(".")[:2] == other.split(".")[:2]
