"""Network cards: the one that castle.yaml gives, or one that follows from the names."""

import re

import pytest
from pydantic import ValidationError

from rebirth.castle.machines import Machine, Machines

PLANE = {"name": "cp-1", "role": "controlplane", "address": "10.0.0.11", "cores": 2, "memory_mib": 4096, "disk_gib": 20}
WORKER = {**PLANE, "name": "worker", "role": "worker", "address": "10.0.0.21"}


def machines(*nodes, **more):
    given = {"network": "10.0.0.0/24", "gateway": "10.0.0.1", "nameservers": ["10.0.0.1"], "nodes": list(nodes), **more}
    return Machines.model_validate(given, strict=False)


def test_a_card_follows_from_castle_and_machine():
    machine = Machine.model_validate(PLANE, strict=False)
    card = machine.mac_address("farm")
    assert re.fullmatch("02(:[0-9a-f]{2}){5}", card), "locally administered, and of one machine"
    assert card == machine.mac_address("farm")
    assert card != machine.mac_address("other")
    assert machines(PLANE, WORKER).cards("farm")["cp-1"] == (card, "10.0.0.11")


def test_a_given_card_is_kept():
    assert machines({**PLANE, "mac": "BC:24:11:00:00:01"}).cards("farm")["cp-1"][0] == "bc:24:11:00:00:01"


def test_the_router_has_to_know_only_what_no_drive_tells():
    assert machines(PLANE).reservations("farm") == {}
    reserved = machines(PLANE).model_copy(update={"addressing": "reserved-dhcp"})
    assert reserved.reservations("farm") == reserved.cards("farm")


def test_only_one_kind_of_talos_reads_a_drive():
    assert machines(PLANE).platform == "nocloud"
    assert machines(PLANE).model_copy(update={"addressing": "reserved-dhcp"}).platform == "metal"


@pytest.mark.parametrize(
    ("shared", "words"),
    [("10.0.0.11", "the address of cp-1"), ("10.0.0.1", "of the gateway"), ("10.0.1.1", "outside the network")],
)
def test_a_shared_address_is_nobodys_own(shared, words):
    with pytest.raises(ValidationError, match=f"at shared_address: .*{words}"):
        machines(PLANE, shared_address=shared)


@pytest.mark.parametrize("mac", ["bc:24:11:00:00", "bc-24-11-00-00-01", ""])
def test_what_is_no_card(mac):
    with pytest.raises(ValidationError, match="must be a MAC address such as"):
        machines({**PLANE, "mac": mac})


def test_two_machines_with_one_card():
    mac = "bc:24:11:00:00:0a"
    with pytest.raises(ValidationError, match="two machines have the mac"):
        machines({**PLANE, "mac": mac}, {**WORKER, "mac": mac.upper()})
