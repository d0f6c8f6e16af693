"""Certificates in files: whether they parse, how long they hold, and who orders new ones again and again."""

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model

_BEGIN = "-----BEGIN CERTIFICATE-----"
_BEGINS = re.compile(f"^{_BEGIN}", re.MULTILINE)  # not in a comment, or an example, of a file that is a text here
_ENCODED = frozenset({"caBundle", "ca.crt", "tls.crt"})  # fields that hold them in base64
_SOON = dt.timedelta(days=30)
_PRODUCTION = "acme-v02.api.letsencrypt.org"


def read(model: Model, graph: Graph) -> None:
    now = dt.datetime.now(dt.UTC)
    for member, _ in model.objects():
        if member.kind == "CustomResourceDefinition":
            continue
        for path, text in _certificates(member.data, ()) if _may_hold(member.data) else ():
            graph.dated = True
            if words := complaint(text, now):
                slug = "certificate-ends-soon" if words.startswith("expires") else "certificate-unsound"
                graph.remark(
                    slug, member.place(*path), f"a certificate in {member.thing().label} {words}", member.thing()
                )
    if model.castle:
        _ordered_anew(model, graph)


def complaint(text: str, now: dt.datetime) -> str:
    """Why the certificates in a text are of no use; "" if they are. Never quotes the text."""
    from cryptography import x509  # takes a while to load, and few repositories hold certificates

    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return "does not parse"
    ends = max(certificate.not_valid_after_utc for certificate in found)
    if ends < now:
        return f"has expired on {ends:%Y-%m-%d}"
    if ends - now < _SOON:
        return f"expires in {(ends - now).days} days"
    return ""


def _may_hold(value: Any) -> bool:
    """Whether a text in it may be a certificate: for nearly all objects that is no, and their paths need not be made."""
    if not isinstance(value, dict | list):
        return True
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, str):
            if key in _ENCODED or _BEGIN in item:
                return True
        elif isinstance(item, (dict, list, Mapping)) and _may_hold(item):
            return True
    return False


def _certificates(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Texts that hold certificates, plain or in base64 where Kubernetes wants them so."""
    if isinstance(value, str):
        if _BEGINS.search(value) and "${" not in value:
            yield path, value
        elif path and path[-1] in _ENCODED and (text := _decoded(value)):
            yield path, text
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _certificates(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _certificates(item, (*path, index))


def _decoded(value: str) -> str:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text if _BEGIN in text else ""


def _ordered_anew(model: Model, graph: Graph) -> None:
    """Certificates from an authority that gives out a few in a week, in a castle that is made again and again."""
    issuers = {
        (issuer.kind, issuer.name) for issuer, _ in model.objects("ClusterIssuer", "Issuer") if _is_production(issuer)
    }
    for member, _ in model.objects("Certificate"):
        reference = member.mapping("spec", "issuerRef")
        if (str(reference.get("kind") or "Issuer"), str(reference.get("name"))) in issuers:
            secret = str(member.at("spec", "secretName", default=""))
            if not _kept(model, member.namespace, secret):
                words = f"{member.thing().label} is requested from Let's Encrypt by every new castle"
                graph.remark("ordered-anew", member.place("spec", "issuerRef"), words, member.thing())


def _is_production(issuer: Manifest) -> bool:
    return _PRODUCTION in str(issuer.at("spec", "acme", "server", default=""))


def _kept(model: Model, namespace: str, secret: str) -> bool:
    """Whether the certificate's Secret is pushed out or brought back by somebody."""
    for member, _ in model.objects("PushSecret", "ExternalSecret"):
        named = {
            member.at("spec", "selector", "secret", "name"),
            member.at("spec", "target", "name", default=member.name if member.kind == "ExternalSecret" else None),
        }
        if member.namespace == namespace and secret in named:
            return True
    return False
