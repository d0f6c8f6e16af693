"""Certificates: made from the authorities that the machine configuration brings."""

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rebirth.lab.talos.config import KeyPair

_YEAR = dt.timedelta(days=365)


def private_key(pem: bytes) -> CertificateIssuerPrivateKeyTypes:
    # Talos labels its PKCS#8 Ed25519 keys with a name of its own.
    key = serialization.load_pem_private_key(pem.replace(b"ED25519 PRIVATE KEY", b"PRIVATE KEY"), None)
    if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) and not hasattr(key, "key_size"):
        raise TypeError("a key that signs no certificates")
    return key  # type: ignore[return-value]


def _pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(common_name: str, organization: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _sans(names: Iterable[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


@dataclass(frozen=True)
class Request:
    common_name: str
    organization: str | None = None
    names: tuple[str, ...] = ()
    server: bool = True
    client: bool = True


def issue(authority: KeyPair, request: Request) -> KeyPair:
    """A new key with a certificate signed by `authority`."""
    ca = x509.load_pem_x509_certificate(authority.certificate)
    signer = private_key(authority.key)
    is_ed25519 = isinstance(signer, ed25519.Ed25519PrivateKey)
    key = ed25519.Ed25519PrivateKey.generate() if is_ed25519 else ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(ca.subject, key.public_key(), request).sign(
        signer, None if is_ed25519 else hashes.SHA256()
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))


def sign(authority: KeyPair, csr_pem: bytes) -> bytes:
    """Signs a request for a Talos API server certificate, as trustd does: subject and names as asked."""
    csr = x509.load_pem_x509_csr(csr_pem)
    ca = x509.load_pem_x509_certificate(authority.certificate)
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    asked = [
        str(value) for value in [*names.get_values_for_type(x509.DNSName), *names.get_values_for_type(x509.IPAddress)]
    ]
    common = str(csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    request = Request(common, names=tuple(asked), client=False)
    signed = _certificate(ca.subject, csr.public_key(), request).sign(private_key(authority.key), None)
    return signed.public_bytes(serialization.Encoding.PEM)


def request_for(common_name: str, names: Iterable[str]) -> tuple[bytes, bytes]:
    """A new Ed25519 key and a signing request for it, both PEM."""
    key = ed25519.Ed25519PrivateKey.generate()
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(common_name, None))
    csr = builder.add_extension(x509.SubjectAlternativeName(_sans(names)), critical=False).sign(key, None)
    return _pem(key), csr.public_bytes(serialization.Encoding.PEM)


def node_request(common_name: str, organization: str) -> tuple[bytes, bytes]:
    """A new ECDSA key and a signing request for a client certificate, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_name(common_name, organization))
        .sign(key, hashes.SHA256())
    )
    return _pem(key), csr.public_bytes(serialization.Encoding.PEM)


def self_signed(common_name: str, names: Iterable[str]) -> KeyPair:
    """What a machine shows in maintenance mode."""
    key = ed25519.Ed25519PrivateKey.generate()
    request = Request(common_name, names=tuple(names), client=False)
    certificate = _certificate(_name(common_name, None), key.public_key(), request).sign(key, None)
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))


def _certificate(issuer: x509.Name, public_key: CertificatePublicKeyTypes, request: Request) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    usages = [ExtendedKeyUsageOID.SERVER_AUTH] * request.server + [ExtendedKeyUsageOID.CLIENT_AUTH] * request.client
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(request.common_name, request.organization))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + _YEAR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    )
    if request.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(_sans(request.names)), critical=False)
    return builder


def write(pair: KeyPair, folder: Path, name: str) -> tuple[str, str]:
    """Writes `<name>.crt` and `<name>.key` (mode 0600); returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(pair.certificate)
    key.touch(mode=0o600)
    key.write_bytes(pair.key)
    return str(certificate), str(key)


def ensure(authority: KeyPair, request: Request, folder: Path, name: str) -> tuple[str, str]:
    """Like `write(issue(...))`, but keeps what was issued before for the same request by the same authority."""
    wanted = hashlib.sha256(repr(request).encode() + authority.certificate).hexdigest()
    note = folder / f"{name}.for"
    if not note.exists() or note.read_text() != wanted:
        write(issue(authority, request), folder, name)
        note.write_text(wanted)
    return str(folder / f"{name}.crt"), str(folder / f"{name}.key")


def authority(common_name: str) -> KeyPair:
    """A new certificate authority that nobody knows yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name, None))
        .issuer_name(_name(common_name, None))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + _YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))
