"""Devices of the stood-in tailnet: names, addresses, life and death."""

from ipaddress import ip_address, ip_network

import pytest

from rebirth.lab.tailscale.tailnet import label


async def devices(world) -> dict[str, dict]:
    client = await world.client("reader")
    found = (await client.get("/tailnet/-/devices", params={"fields": "all"})).json()["devices"]
    return {device["name"].partition(".")[0]: device for device in found}


async def test_what_a_device_is_shown_as(world):
    key = await world.key(ephemeral=True)
    joined = (await world.join(key, "lushycorp-k8s", tags=["tag:castle"])).json()
    assert joined["name"] == "lushycorp-k8s.magellanic-gondola.ts.net"
    (address,) = joined["addresses"]
    assert ip_address(address) in ip_network("100.64.0.0/10")
    device = (await devices(world))["lushycorp-k8s"]
    expected = {
        "nodeId": joined["id"],
        "hostname": "lushycorp-k8s",
        "tags": ["tag:castle"],
    }
    expected |= {"isEphemeral": True, "authorized": True, "connectedToControl": True, "created": "2026-05-28T20:26:40Z"}
    assert {name: device[name] for name in expected} == expected
    assert device["addresses"][0] == address
    assert device["id"].isdigit()
    assert device["id"] not in device["nodeId"], "the one cannot be made out of the other"
    for identity in (device["id"], device["nodeId"]):
        assert (await world.castle.get(f"/device/{identity}")).json()["name"] == joined["name"]
    assert (await world.castle.get(f"/device/{device['id']}?fields=some")).status_code == 400


async def test_a_taken_name_gets_a_number(world):
    key = await world.key(reusable=True)
    names = [(await world.join(key, "node")).json()["name"].partition(".")[0] for _ in range(3)]
    assert names == ["node", "node-1", "node-2"]
    found = await devices(world)
    assert [found[name]["hostname"] for name in names] == ["node"] * 3
    assert len({device["addresses"][0] for device in found.values()}) == 3
    await world.castle.delete(f"/device/{found['node']['id']}")
    assert (await world.join(key, "node")).json()["name"].startswith("node.")


@pytest.mark.parametrize(
    ("hostname", "name"),
    [("Node_1.local", "node-1"), ("-x-", "x"), ("a.b.c", "a-b-c"), ("ÄÖ", "device"), ("x" * 80, "x" * 63)],
)
def test_names_of_devices(hostname, name):
    assert label(hostname) == name


async def test_tags_that_the_key_has_not(world, tailnet):
    answer = await world.join(await world.key(), tags=["tag:operator"])
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        "requested tags [tag:operator] are invalid or not permitted",
    )
    assert tailnet.devices == {}


async def test_a_key_that_authorizes_nobody(world):
    await world.join(await world.key(preauthorized=False))
    assert (await devices(world))["node"]["authorized"] is False


async def test_a_device_is_deleted(world, tailnet):
    changes: list[int] = []
    tailnet.on_change = lambda: changes.append(len(tailnet.devices))
    joined = (await world.join(await world.key())).json()
    assert (await world.castle.delete(f"/device/{joined['id']}")).status_code == 200
    assert (await world.castle.delete(f"/device/{joined['id']}")).status_code == 404
    assert changes == [1, 0]
    assert (await world.lab.post("/lab/heartbeat", json={"id": joined["id"]})).status_code == 404


@pytest.mark.parametrize(("ephemeral", "stays"), [(True, False), (False, True)])
async def test_silence(world, clock, tailnet, ephemeral, stays):
    changes: list[int] = []
    joined = (await world.join(await world.key(ephemeral=ephemeral))).json()
    tailnet.on_change = lambda: changes.append(len(tailnet.devices))
    clock.now += 50
    assert (await world.lab.post("/lab/heartbeat", json={"id": joined["id"]})).status_code == 200
    clock.now += 60
    device = (await devices(world))["node"]
    assert (device["connectedToControl"], device["lastSeen"]) == (False, "2026-05-28T20:27:30Z")
    clock.now += 1
    assert ("node" in await devices(world)) is stays
    assert changes == ([] if stays else [0])


async def test_a_device_that_was_off_is_who_it_was(world, tailnet, clock):
    joined = (await world.join(await world.key())).json()
    clock.now += 3600
    answer = await world.lab.post("/lab/heartbeat", json={"id": joined["id"]})
    assert answer.json() == joined
    assert (await devices(world))["node"]["connectedToControl"] is True


async def test_names_resolve_for_devices_alone(world, tailnet):
    placed = tailnet.add_device("lushycorp-vault", address="100.64.0.10")
    joined = (await world.join(await world.key())).json()
    name = {"name": "lushycorp-vault.magellanic-gondola.ts.net."}
    headers = {"x-device-id": joined["id"]}
    assert (await world.lab.get("/lab/resolve", params=name, headers=headers)).json() == {"address": "100.64.0.10"}
    assert (await world.lab.get("/lab/resolve", params={"name": "other"}, headers=headers)).status_code == 404
    assert (await world.lab.get("/lab/resolve", params=name)).status_code == 403
    assert tailnet.resolve("LUSHYCORP-vault.magellanic-gondola.ts.net") == placed.address
    assert tailnet.resolve("lushycorp-vault.other.ts.net") is None
    assert tailnet.resolve("lushycorp-vault") is None


async def test_a_device_left_over_from_an_earlier_castle(world, tailnet, clock):
    tailnet.add_device("node", tags=("tag:castle",), seen=clock.now - 30 * 24 * 3600)
    assert (await world.join(await world.key())).json()["name"].startswith("node-1.")
    assert (await devices(world))["node"]["connectedToControl"] is False


@pytest.mark.parametrize("path", ["register", "heartbeat"])
async def test_bodies_that_are_none(world, path):
    for content in (b"", b"[]", b"{}", b'{"id": 1, "auth_key": 1}'):
        assert (await world.lab.post(f"/lab/{path}", content=content)).status_code == 400
