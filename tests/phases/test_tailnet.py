"""The tailnet: names that are freed, keys that are minted, and what is refused."""

import pytest

from phases.conftest import REACHED
from rebirth.castle import Identity
from rebirth.errors import Broken
from rebirth.phases import free_names, mint_node_key
from rebirth.run.journal import Journal, Marks

OURS, OPERATOR = "tag:tazlab-k8s", "tag:k8s-operator"
LONG_AGO = 1_700_000_000.0


async def free(outside):
    return await free_names.free_names(outside.castle.tailscale, outside.tailscale, REACHED)


async def mint(outside):
    identity = Identity(name=outside.castle.name)
    with Journal(outside.place.state) as journal:
        return await mint_node_key.mint_node_key(
            identity, outside.castle.tailscale, outside.tailscale, outside.redaction, Marks(journal), REACHED
        )


async def test_stale_devices_of_ours_give_their_names_back(outside):
    add = outside.tailnet.add_device
    add("lushycorp-k8s", tags=(OURS,), seen=LONG_AGO)
    add("tazlab-k8s-operator", tags=(OPERATOR,), seen=LONG_AGO)
    add("lushycorp-vault", seen=LONG_AGO)
    await free(outside)
    assert [device.name for device in outside.tailnet.devices.values()] == ["lushycorp-vault"]
    before = outside.writes
    await free(outside)
    assert outside.writes == before


async def test_a_connected_device_of_ours_is_this_castle_going_on(outside):
    outside.tailnet.add_device("lushycorp-k8s", tags=(OURS,))
    await free(outside)
    assert outside.writes == {}


@pytest.mark.parametrize(
    ("tags", "seen"), [((), LONG_AGO), ((), None), (("tag:theirs",), LONG_AGO), ((OPERATOR,), None)]
)
async def test_a_name_that_somebody_else_holds(outside, tags, seen):
    outside.tailnet.add_device("lushycorp-k8s", tags=tags, seen=seen)
    with pytest.raises(Broken, match="the name lushycorp-k8s is held") as caught:
        await free(outside)
    assert caught.value.hint
    assert outside.writes == {}


async def test_a_key_as_the_castle_asks_for_it(outside):
    minted = await mint(outside)
    (key,) = outside.tailnet.keys.values()
    assert (key.identity, key.value) == (minted.key_id, minted.key.reveal())
    assert (key.tags, key.reusable, key.ephemeral) == ((OURS,), True, True)
    assert key.expires - key.created == 3600
    assert key.description == "rebirth tazlab-k8s"
    assert key.value not in repr(minted)
    assert key.value not in outside.redaction.redact(f"said {key.value}"), "no log shows it"


async def test_tags_that_the_client_may_not_give(outside):
    outside.tailnet.clients[0] = type(outside.tailnet.clients[0])(
        outside.tailnet.clients[0].identity, outside.tailnet.clients[0].secret, tags=frozenset({"tag:theirs"})
    )
    with pytest.raises(Broken, match="mint key: HTTP 400") as caught:
        await mint(outside)
    assert "tags" in caught.value.hint


async def test_a_client_that_is_refused(outside):
    outside.tailnet.clients.clear()
    with pytest.raises(Broken, match="the OAuth client was refused"):
        await free(outside)
