"""The certificate authority that only the lab trusts."""

import datetime as dt
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAYS = dt.timedelta(days=90)


class Authority:
    """Signs server certificates. Its key stays in memory."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = self._authority(self._name, self._key.public_key())

    def _authority(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            self._builder(subject, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def below(self, name: str) -> tuple[str, str]:
        """Certificate and key (both PEM) of another authority, which whoever trusts this one trusts, too."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = self._authority(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key())
        return signed.public_bytes(serialization.Encoding.PEM).decode(), _written(key)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + _DAYS)
        )

    @property
    def pem(self) -> str:
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, names: Iterable[str], groups: Iterable[str] = ()) -> tuple[str, str]:
        """Certificate and key (both PEM) for a server of these names and addresses, or a client: as which the first one and
        `groups` are what Kubernetes takes for its user and groups.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        known = list(dict.fromkeys(names))
        organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, known[0][:64]), *organizations])
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        identifier = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        signed = (
            self._builder(subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(list(map(_general_name, known))), critical=False)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return signed.public_bytes(serialization.Encoding.PEM).decode(), _written(key)

    def issue_into(self, folder: Path, name: str, names: Iterable[str]) -> tuple[Path, Path]:
        """The same, written as `<name>.crt` and `<name>.key` (mode 0600)."""
        certificate, key = self.issue(names)
        folder.mkdir(parents=True, exist_ok=True)
        paths = folder / f"{name}.crt", folder / f"{name}.key"
        paths[0].write_text(certificate)
        paths[1].touch(mode=0o600)
        paths[1].write_text(key)
        return paths


def _written(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
