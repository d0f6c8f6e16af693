"""What the router gives: by network card, and by nothing else."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from rebirth.castle import load
from rebirth.lab.talos.dhcp import Dhcp

EXAMPLE = Path(__file__).parents[3] / "examples" / "castle"

CARD = "02:00:00:00:00:01"


def dhcp(network="192.168.7.0/24", **named):
    return Dhcp(IPv4Network(network), IPv4Address("192.168.7.1"), ("192.168.7.1",), {CARD: "192.168.7.11"}, **named)


def test_a_reserved_address_goes_to_its_card_however_that_is_written():
    lease = dhcp().lease(CARD.upper())
    assert (lease.address, lease.gateway, lease.nameservers) == ("192.168.7.11/24", "192.168.7.1", ("192.168.7.1",))


def test_an_unknown_card_gets_one_of_the_pool_and_keeps_it():
    router = dhcp(taken=frozenset({"192.168.7.254"}))
    first, second = router.lease("bc:24:11:00:00:01"), router.lease("bc:24:11:00:00:02")
    assert (first.address, second.address) == ("192.168.7.253/24", "192.168.7.252/24")
    assert router.lease("bc:24:11:00:00:01") == first


def test_a_network_without_a_free_address():
    router = Dhcp(IPv4Network("10.0.0.0/30"), IPv4Address("10.0.0.1"), (), {CARD: "10.0.0.2"})
    with pytest.raises(LookupError, match=r"no address is left in 10\.0\.0\.0/30 for bc:24:11:00:00:01"):
        router.lease("bc:24:11:00:00:01")


def test_the_router_keeps_addresses_only_for_machines_that_have_no_drive():
    castle = load(EXAMPLE)
    assert Dhcp.of(castle, {}, frozenset()).reservations == {}
    reserved = castle.machines.model_copy(update={"addressing": "reserved-dhcp"})
    other = {"lushycorp-k8s": IPv4Address("192.168.50.99")}
    router = Dhcp.of(castle.model_copy(update={"machines": reserved}), other, frozenset())
    assert sorted(router.reservations.values()) == ["192.168.50.21", "192.168.50.99"]
