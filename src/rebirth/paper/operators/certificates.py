"""cert-manager on paper: issuers, and Certificates whose Secrets hold what the rehearsal's CA signed.

Read in cert-manager v1.21.2: pkg/issuer, pkg/controller/certificates, pkg/controller/certificate-shim.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.paper.api.client import Object
from rebirth.paper.given import Signs
from rebirth.paper.operators.custom import Due, World, lacks, not_ready
from rebirth.paper.operators.making import Making, owned_by

GROUP = "cert-manager.io"
_SHIM = {f"{GROUP}/issuer": "Issuer", f"{GROUP}/cluster-issuer": "ClusterIssuer"}
_FORMATS = {"CombinedPEM": "tls-combined.pem", "DER": "key.der"}


def issuer(item: Object, namespace: str, world: World) -> Due:
    """An Issuer or ClusterIssuer: a CA's Secret must be there; an ACME account's is made. `namespace` is cert-manager's."""
    spec, home = item["spec"], item["metadata"].get("namespace") or namespace
    if name := (spec.get("ca") or {}).get("secretName"):
        return Due(waits=lacks(world, "Secret", home, str(name), "tls.key"))
    if name := ((spec.get("acme") or {}).get("privateKeySecretRef") or {}).get("name"):
        return Due((Making("Secret", home, str(name), ("tls.key",)),))
    return Due()


def certificate(item: Object, _: str, world: World, authority: Signs) -> Due:
    meta, spec = item["metadata"], item["spec"]
    signer = spec.get("issuerRef") or {}
    if signer.get("group", GROUP) == GROUP:
        kind = str(signer.get("kind") or "Issuer")
        place = "" if kind == "ClusterIssuer" else meta["namespace"]
        if why := not_ready(world, GROUP, kind, place, str(signer.get("name", ""))):
            return Due(waits=why)
    name, keys = str(spec["secretName"]), tuple(_keys(spec))
    template = spec.get("secretTemplate") or {}
    held = world.keys("Secret", meta["namespace"], name)
    # Signed once: the next look finds the Secret, and its values are not read again.
    values = {} if held and held.texts >= set(keys) else _signed(spec, meta["name"], keys, authority)
    making = Making(
        "Secret", meta["namespace"], name, keys, values=values, type="kubernetes.io/tls",
        labels=template.get("labels") or {}, annotations=template.get("annotations") or {}, joins=True,
    )  # fmt: skip
    return Due((making,))


def _keys(spec: Mapping[str, Any]) -> Iterator[str]:
    yield from ("tls.crt", "tls.key", "ca.crt")
    stores = spec.get("keystores") or {}
    for kind, ending in (("jks", "jks"), ("pkcs12", "p12")):
        if (stores.get(kind) or {}).get("create"):
            yield from (f"keystore.{ending}", f"truststore.{ending}")
    for one in spec.get("additionalOutputFormats") or []:
        if one.get("type") in _FORMATS:
            yield _FORMATS[one["type"]]


def _signed(spec: Mapping[str, Any], name: str, keys: tuple[str, ...], authority: Signs) -> Mapping[str, str]:
    listed = [spec.get("commonName"), *(spec.get("dnsNames") or []), *(spec.get("ipAddresses") or [])]
    names = [str(one) for one in listed if one] or [name]
    certificate, key = authority.issue(names)
    values = {
        "tls.crt": certificate,
        "tls.key": key,
        "ca.crt": authority.pem,
        "tls-combined.pem": f"{key}{certificate}",
    }
    return {key: value for key, value in values.items() if key in keys}


def of_ingress(ingress: Object, *_: object) -> Due:
    """The Certificates of an annotated Ingress: one for each Secret of its TLS section."""
    meta = ingress["metadata"]
    annotations = meta.get("annotations") or {}
    named = next(((annotations[note], kind) for note, kind in _SHIM.items() if annotations.get(note)), None)
    if named is None:
        return Due()
    signer = {"name": named[0], "kind": named[1], "group": annotations.get(f"{GROUP}/issuer-group", GROUP)}
    return Due(
        others=tuple(
            {
                "apiVersion": f"{GROUP}/v1",
                "kind": "Certificate",
                "metadata": {
                    "name": entry["secretName"], "namespace": meta["namespace"], "ownerReferences": [owned_by(ingress)],
                },
                "spec": {"secretName": entry["secretName"], "dnsNames": list(entry["hosts"]), "issuerRef": signer},
            }
            for entry in ingress["spec"].get("tls") or []
            if entry.get("secretName") and entry.get("hosts")
        )
    )  # fmt: skip
