"""A Certificate waits for its request, that for its issuer, or for an order of ACME and its challenges.

The words are those of cert-manager 1.21.
"""

from collections.abc import Iterator

from rebirth.diagnosis.cause import Cause, Outlook
from rebirth.diagnosis.named import said
from rebirth.diagnosis.search import Search
from rebirth.diagnosis.wanted import Key, Object
from rebirth.providers.cluster import condition

_ISSUERS = ("Issuer", "ClusterIssuer")
_GROUP = "cert-manager.io"
_OPERATOR = {"app.kubernetes.io/name": "cert-manager", "app.kubernetes.io/component": "controller"}


def certificate(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    status, message = condition(item)
    ends = str((item.get("status") or {}).get("notAfter") or "")
    expired = bool(search.now and ends and ends < search.now)
    if status == "True" and not expired:
        return
    issuing, why = condition(item, "Issuing")
    below = list(_issuer(search, key, item))
    for other, request in search.kinds("CertificateRequest"):
        if _owns(key, other, request) and condition(request)[0] != "True" and not below:
            below = search.of(other)
    below = below or [cause for one in _operators(search) for cause in search.of(one)]
    words = f"expired at {ends}" if expired else message
    if issuing == "False" and why:
        words = f"{words}; {why}"
    yield from below or said(search, key, words, Outlook.WORKING if issuing == "True" else Outlook.STUCK)


def request(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    status, message = condition(item)
    if status == "True":
        return
    below = list(_issuer(search, key, item))
    for other, order in search.kinds("Order"):
        below += search.of(other) if _owns(key, other, order) else []
    failed = any(
        one["type"] in {"Denied", "InvalidRequest"} for one in (item.get("status") or {}).get("conditions") or ()
    )
    yield from below or said(search, key, message, Outlook.FINAL if failed else Outlook.STUCK)


def order(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    """Orders and challenges have a state of their own, and no conditions."""
    status = item.get("status") or {}
    if status.get("state") == "valid":
        return
    below = [cause for one, found in search.kinds("Challenge") if _owns(key, one, found) for cause in search.of(one)]
    words = status.get("reason") or f"is {status.get('state') or 'not processed yet'}"
    yield from below or said(search, key, words, Outlook.STUCK)


def issuer(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    status, message = condition(item)
    if status != "True":
        yield from said(search, key, message, Outlook.STUCK if status == "False" else Outlook.WORKING)


STEPS = {
    "Certificate": certificate,
    "CertificateRequest": request,
    "Order": order,
    "Challenge": order,
    **dict.fromkeys(_ISSUERS, issuer),
}


def _issuer(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    reference = (item.get("spec") or {}).get("issuerRef") or {}
    kind = reference.get("kind") or _ISSUERS[0]
    if kind in _ISSUERS and reference.get("group", _GROUP) == _GROUP and reference.get("name"):
        named = (kind, key[1] if kind == _ISSUERS[0] else "", reference["name"])
        found = named in search.objects
        yield from search.of(named) if found else search.missing(named, "a Certificate is to be issued by it")


def _operators(search: Search) -> Iterator[Key]:
    """Whoever would renew it."""
    for key, item in search.kinds("Deployment"):
        if _OPERATOR.items() <= (item["metadata"].get("labels") or {}).items():
            yield key


def _owns(owner: Key, key: Key, item: Object) -> bool:
    owners = item["metadata"].get("ownerReferences") or []
    return owner[1] == key[1] and any((one["kind"], one["name"]) == (owner[0], owner[2]) for one in owners)
