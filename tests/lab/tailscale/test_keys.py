"""Auth keys, as the API shows them; whom they let in is the control server's: test_control_server.py."""

import pytest


async def test_the_value_is_shown_once(world, control):
    key = await world.key(reusable=True, ephemeral=True, expirySeconds=3600, description="rebirth")
    assert key["key"].startswith(f"tskey-auth-{key['id']}-")
    assert (key["created"], key["expires"]) == ("2026-05-28T20:26:40Z", "2026-05-28T21:26:40Z")
    shown = (await world.castle.get(f"/tailnet/-/keys/{key['id']}")).json()
    assert shown == {name: value for name, value in key.items() if name != "key"}
    assert (shown["description"], "invalid" in shown) == ("rebirth", False)
    assert shown["capabilities"]["devices"]["create"] == {
        "reusable": True,
        "ephemeral": True,
        "preauthorized": True,
        "tags": ["tag:castle"],
    }
    assert (await world.castle.get("/tailnet/-/keys")).json() == {"keys": [{"id": key["id"], "description": "rebirth"}]}
    (asked,) = control.minted.values()
    assert asked == {
        "tags": ("tag:castle",),
        "reusable": True,
        "ephemeral": True,
        "expires": 1_780_003_600.0,
        "used": False,
    }


@pytest.mark.parametrize("seconds", [-1, 90 * 24 * 3600 + 1, "soon"])
async def test_an_expiry_that_cannot_be(world, seconds):
    answer = await world.mint(expirySeconds=seconds)
    assert (answer.status_code, list(answer.json())) == (400, ["message"])


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[]", b"{}", b'{"capabilities": []}'])
async def test_bodies_that_are_none(world, content):
    answer = await world.castle.post("/tailnet/-/keys", content=content)
    assert (answer.status_code, list(answer.json())) == (400, ["message"])


@pytest.mark.parametrize("reusable", [True, False])
async def test_a_key_that_let_somebody_in(world, control, reusable):
    key = await world.key(reusable=reusable)
    assert control.join(key["key"], "node").name == "node"
    shown = (await world.castle.get(f"/tailnet/-/keys/{key['id']}")).json()
    assert shown.get("invalid", False) is not reusable
    assert bool((await world.castle.get("/tailnet/-/keys")).json()["keys"]) is reusable


async def test_a_key_expires(world, clock):
    await world.key(reusable=True, expirySeconds=3600)
    clock.now += 3599
    assert len((await world.castle.get("/tailnet/-/keys")).json()["keys"]) == 1
    clock.now += 1
    castle = await world.client("castle")
    assert (await castle.get("/tailnet/-/keys")).json() == {"keys": []}


async def test_a_deleted_key(world, control):
    key = await world.key(reusable=True)
    control.join(key["key"], "node")
    path = f"/tailnet/-/keys/{key['id']}"
    assert (await world.castle.delete(path)).status_code == 200
    assert (await world.castle.delete(path)).status_code == 404
    assert "revoked" in (await world.castle.get(path)).json()
    assert control.join(key["key"], "node") is None, "the control server was told"
    assert len(control.devices) == 1, "who has joined stays"


async def test_a_key_that_is_none(world):
    assert (await world.castle.get("/tailnet/-/keys/k123CNTRL")).status_code == 404
