"""Certificates of the lab, judged by Python's ssl in a real handshake."""

import asyncio
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from rebirth.lab.ca import Authority

HOSTS = ["ghcr.io", "quay.io", "198.18.0.11"]


async def shake(authority: Authority, trusted: Authority, name: str, tmp_path) -> None:
    certificate, key = authority.issue_into(tmp_path, "server", [*HOSTS, "127.0.0.1"])
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0, ssl=serving)
    port = server.sockets[0].getsockname()[1]
    try:
        context = ssl.create_default_context(cadata=trusted.pem)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
        writer.close()
        await writer.wait_closed()
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("name", HOSTS)
async def test_whoever_trusts_the_lab_believes_its_servers(name, tmp_path):
    authority = Authority("lab")
    await shake(authority, authority, name, tmp_path)


async def test_nobody_else_does(tmp_path):
    with pytest.raises(ssl.SSLCertVerificationError):
        await shake(Authority("lab"), Authority("lab"), "ghcr.io", tmp_path)


async def test_another_name_is_not_believed(tmp_path):
    authority = Authority("lab")
    with pytest.raises(ssl.SSLCertVerificationError):
        await shake(authority, authority, "docker.io", tmp_path)


def test_only_its_owner_reads_a_key(tmp_path):
    _, key = Authority("lab").issue_into(tmp_path, "server", HOSTS)
    assert key.stat().st_mode & 0o777 == 0o600


def test_whoever_trusts_the_lab_believes_an_authority_below_it():
    authority = Authority("lab")
    below, key = authority.below("on paper")
    signed = x509.load_pem_x509_certificate(below.encode())
    signed.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.pem.encode()))
    assert signed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert serialization.load_pem_private_key(key.encode(), None).public_key() == signed.public_key()
