"""A way into the castle's cluster that is the lab's own: it laid the machines' disks, and finds the cluster's authority there."""

import base64
import binascii
import datetime as dt
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rebirth.lab.state import replace

USER = "rebirth-lab"
_ADMINS = "system:masters"
_PORT = 6443
_DAYS = dt.timedelta(days=30)


@dataclass(frozen=True)
class Plane:
    """A control plane: the machine configuration on its disk, and its address."""

    configuration: Path
    address: str


def connect(planes: Iterable[Plane], file: Path) -> str | None:
    """Writes a kubeconfig (mode 0600) of an administrator, for the first control plane that is configured.

    Returns the certificate of the cluster's authority, by which one life of a castle is told from the next; None, and nothing
    is written, where no control plane is configured.
    """
    for plane in planes:
        if authority := _authority(plane.configuration):
            replace(file, _kubeconfig(f"https://{plane.address}:{_PORT}", *authority).encode())
            file.chmod(0o600)
            return authority[0].decode()
    return None


def authority_of(planes: Iterable[Plane]) -> str | None:
    """As `connect` returns it."""
    return next((found[0].decode() for plane in planes if (found := _authority(plane.configuration))), None)


def _authority(configuration: Path) -> tuple[bytes, bytes] | None:
    """Certificate and key (PEM) out of a machine configuration of Talos; None where there is none, or it is being written."""
    with suppress(OSError, yaml.YAMLError, LookupError, TypeError, StopIteration, binascii.Error):
        documents = yaml.load_all(configuration.read_text(), Loader=yaml.CSafeLoader)
        pair = next(document["cluster"]["ca"] for document in documents if document and "cluster" in document)
        return base64.b64decode(pair["crt"]), base64.b64decode(pair["key"])
    return None


def _kubeconfig(server: str, certificate: bytes, key: bytes) -> str:
    own = ec.generate_private_key(ec.SECP256R1())
    private = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    user = {"client-certificate-data": _text(_signed(own, certificate, key)), "client-key-data": _text(private)}
    cluster = {"server": server, "certificate-authority-data": _text(certificate)}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": USER}}],
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": USER, "user": user}],
        }
    )


def _signed(own: ec.EllipticCurvePrivateKey, certificate: bytes, key: bytes) -> bytes:
    """A client certificate as `talosctl kubeconfig` makes one."""
    authority, signer = x509.load_pem_x509_certificate(certificate), serialization.load_pem_private_key(key, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey), "what Talos makes"
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ADMINS), x509.NameAttribute(NameOID.COMMON_NAME, USER)]
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(authority.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + _DAYS)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
