"""What the castle asks of Proxmox is there, before anything is made."""

import pytest

from rebirth.errors import Broken, NotYet
from rebirth.lab.systems.faults import Fault
from rebirth.phases.made.virtual_machines import needs


async def offers(outside, **wanted):
    await outside.proxmox.offers(wants(outside, **wanted))


def wants(outside, **changed):
    return needs(outside.castle.machines, outside.castle.proxmox.model_copy(update=changed))


async def test_all_is_there(outside):
    assert await outside.proxmox.reach(wants(outside)) == "9.2.4"
    await offers(outside)
    assert outside.writes == {}


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ({"image_storage": "nas"}, "has no storage nas", "proxmox.image_storage must be one of: local."),
        (
            {"image_storage": "local-lvm"},
            "local-lvm does not accept iso",
            "proxmox.image_storage must be one of: local.",
        ),
        ({"disk_storage": "local"}, "local does not accept images", "proxmox.disk_storage must be one of: local-lvm."),
        ({"bridge": "vmbr9"}, "has no bridge vmbr9", "proxmox.bridge must be one of: vmbr0."),
    ],
)
async def test_what_the_node_lacks(outside, wanted, message, hint):
    with pytest.raises(Broken, match=message) as caught:
        await offers(outside, **wanted)
    assert caught.value.hint == hint
    assert outside.writes == {}


async def test_a_node_that_is_not_there(outside):
    outside.pve.node = "other"
    with pytest.raises(Broken, match="has no node pve") as caught:
        await outside.proxmox.reach(wants(outside))
    assert "other" in caught.value.hint


async def test_a_token_that_is_refused(outside):
    outside.pve.token = outside.pve.token[:-1] + ("0" if outside.pve.token[-1] != "0" else "1")
    with pytest.raises(Broken, match="the token was rejected") as caught:
        await outside.proxmox.reach(wants(outside))
    assert caught.value.status == 401
    assert "proxmox.token" in caught.value.hint


async def test_a_host_that_does_not_answer(outside):
    outside.faults.set("proxmox", Fault(die=True))
    with pytest.raises(NotYet, match="Proxmox: version") as caught:
        await outside.proxmox.reach(wants(outside))
    assert "proxmox.endpoint" in caught.value.hint
