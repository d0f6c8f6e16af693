"""What the matrix raises for a bad certificate is what Python's ssl says in a real handshake."""

import datetime as dt
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from faults.wrongs import Break, is_mistrust, mistrust

NAME = "pve.example"
NOW, DAY = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
SPANS = {Break.EXPIRED: (NOW - 3 * DAY, NOW - DAY), Break.EARLY: (NOW + DAY, NOW + 3 * DAY)}


def certificate(folder, since, until):
    """A file with a key, and a certificate that it has signed itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(encoded + made.public_bytes(serialization.Encoding.PEM))
    return file


def handshake(server, trusted):
    """Raises what the client's side of it says."""
    serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    serving.load_cert_chain(server)
    if trusted:
        asking.load_verify_locations(trusted)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server, server_hostname=NAME)
    peer = serving.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, peer, client, peer):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("how", [how for how in Break if is_mistrust(how)])
def test_a_bad_certificate_is_refused_in_these_words(how, tmp_path):
    file = certificate(tmp_path, *SPANS.get(how, (NOW - DAY, NOW + DAY)))
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        handshake(file, None if how is Break.STRANGER else file)
    said = mistrust(how)
    known = {said.verify_code, 18 if how is Break.STRANGER else said.verify_code}  # 18: and it has signed itself
    assert caught.value.verify_code in known
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)
    assert "CERTIFICATE_VERIFY_FAILED" in str(said)


def test_a_good_one_is_not(tmp_path):
    file = certificate(tmp_path, NOW - DAY, NOW + DAY)
    handshake(file, file)
