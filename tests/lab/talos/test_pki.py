"""Certificates out of the authorities that a configuration brings."""

import datetime as dt
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from rebirth.lab.talos import pki
from rebirth.lab.talos.config import KeyPair


def talos_authority() -> KeyPair:
    """As talosctl makes it: Ed25519, under a PEM label of its own."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "talos")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, None)
    )  # fmt: skip
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    labelled = pem.replace(b"PRIVATE KEY", b"ED25519 PRIVATE KEY")
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), labelled)


@pytest.fixture(params=[talos_authority, lambda: pki.authority("kubernetes")], ids=["ed25519", "ecdsa"])
def authority(request) -> KeyPair:
    return request.param()


def names_of(pem: bytes) -> list[str]:
    extension = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in extension.value]


def test_issued_certificates_are_signed_and_named(authority: KeyPair):
    pair = pki.issue(authority, pki.Request("cp-1", "os:admin", names=("10.0.0.2", "cp-1", "cp-1")))
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))
    assert names_of(pair.certificate) == ["10.0.0.2", "cp-1"]
    assert "O=os:admin" in certificate.subject.rfc4514_string()


def test_python_s_tls_takes_them(authority: KeyPair, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(cadata=authority.certificate.decode())
    context.load_cert_chain(*pki.write(pki.issue(authority, pki.Request("x")), tmp_path, "x"))


def test_trustd_signs_what_was_asked():
    authority = talos_authority()
    _, csr = pki.request_for("worker-1", ["10.0.0.3", "worker-1"])
    signed = pki.sign(authority, csr)
    x509.load_pem_x509_certificate(signed).verify_directly_issued_by(
        x509.load_pem_x509_certificate(authority.certificate)
    )
    assert names_of(signed) == ["worker-1", "10.0.0.3"]


def test_keys_are_for_root_alone(authority: KeyPair, tmp_path):
    _, key = pki.write(authority, tmp_path, "ca")
    assert (tmp_path / "ca.key").stat().st_mode & 0o077 == 0
    assert key.endswith("ca.key")


def test_what_was_issued_is_kept_until_something_else_is_asked(authority: KeyPair, tmp_path):
    request = pki.Request("x", names=("a",))
    pki.ensure(authority, request, tmp_path, "x")
    first = (tmp_path / "x.crt").read_bytes()
    pki.ensure(authority, request, tmp_path, "x")
    assert (tmp_path / "x.crt").read_bytes() == first
    pki.ensure(authority, pki.Request("x", names=("a", "b")), tmp_path, "x")
    assert (tmp_path / "x.crt").read_bytes() != first
    pki.ensure(pki.authority("another"), request, tmp_path, "x")
    assert names_of((tmp_path / "x.crt").read_bytes()) == ["a"]
