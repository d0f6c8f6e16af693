"""The name server, asked over the network by dnslib's client and without one."""

import pytest
from dnslib import QTYPE, RCODE, DNSRecord

from rebirth.lab.systems import dns

NAMES = {"github.com": "198.18.0.10", "ghcr.io": "198.18.0.11"}


def tailnet(name: str) -> str | None:
    return {"vault.gondola.ts.net": "100.64.0.10"}.get(name)


def ask(name: str, kind: str = "A", resolve=None) -> DNSRecord:
    replied = dns.answer(DNSRecord.question(name, kind).pack(), NAMES, resolve)
    return DNSRecord.parse(replied)


@pytest.mark.parametrize("name", ["github.com", "GitHub.COM", "github.com."])
def test_a_known_name_has_its_address(name):
    assert str(ask(name).short()) == "198.18.0.10"


@pytest.mark.parametrize("name", ["example.com", "com", "www.github.com", "github.com.evil.example"])
def test_anything_else_does_not_exist(name):
    assert ask(name).header.rcode == RCODE.NXDOMAIN


def test_a_known_name_without_an_address_of_that_kind_exists_all_the_same():
    reply = ask("github.com", "AAAA")
    assert (reply.header.rcode, reply.rr) == (RCODE.NOERROR, [])


def test_only_the_operator_sees_names_of_the_tailnet():
    assert str(ask("vault.gondola.ts.net", resolve=tailnet).short()) == "100.64.0.10"
    assert ask("vault.gondola.ts.net").header.rcode == RCODE.NXDOMAIN
    assert ask("other.gondola.ts.net", resolve=tailnet).header.rcode == RCODE.NXDOMAIN


def test_noise_is_not_answered():
    assert dns.answer(b"\x00", NAMES, None) is None


@pytest.mark.parametrize("tcp", [False, True])
async def test_it_answers_over_the_network(unused_tcp_port, tcp):
    import asyncio

    server = await dns.serve("127.0.0.1", NAMES, port=unused_tcp_port)
    try:
        question = DNSRecord.question("ghcr.io", QTYPE[QTYPE.A])
        replied = await asyncio.to_thread(question.send, "127.0.0.1", unused_tcp_port, tcp=tcp, timeout=5)
        assert str(DNSRecord.parse(replied).short()) == "198.18.0.11"
    finally:
        await server.close()
