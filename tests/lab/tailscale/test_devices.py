"""Devices, as the API shows them; how they join, are named and go is the control server's: test_control_server.py."""

from ipaddress import ip_address, ip_network


async def devices(world) -> dict[str, dict]:
    client = await world.client("reader")
    found = (await client.get("/tailnet/-/devices", params={"fields": "all"})).json()["devices"]
    return {device["name"].partition(".")[0]: device for device in found}


async def test_what_a_device_is_shown_as(world, control):
    key = await world.key(ephemeral=True)
    joined = control.join(key["key"], "lushycorp-k8s")
    device = (await devices(world))["lushycorp-k8s"]
    expected = {
        "name": "lushycorp-k8s.magellanic-gondola.ts.net",
        "nodeId": joined.identity,
        "hostname": "lushycorp-k8s",
        "tags": ["tag:castle"],
        "user": "tagged-devices",
        "isEphemeral": True,
        "authorized": True,
        "connectedToControl": True,
        "created": "2026-05-28T20:26:40Z",
    }
    assert {name: device[name] for name in expected} == expected
    assert ip_address(device["addresses"][0]) in ip_network("100.64.0.0/10")
    assert device["id"].isdigit()
    assert device["id"] not in device["nodeId"], "the one cannot be made out of the other"
    for identity in (device["id"], device["nodeId"]):
        assert (await world.castle.get(f"/device/{identity}")).json()["name"] == device["name"]
    assert (await devices(world))["lushycorp-k8s"]["id"] == device["id"], "it stays"
    assert (await world.castle.get(f"/device/{device['id']}?fields=some")).status_code == 400


async def test_one_that_is_not_connected(world, control):
    control.add_device("node", connected=False)
    device = (await devices(world))["node"]
    assert (device["connectedToControl"], device["lastSeen"]) == (False, "2026-05-28T20:26:40Z")
    assert "tags" not in device


async def test_a_key_that_authorizes_nobody(world, control):
    control.join((await world.key(preauthorized=False))["key"], "node")
    assert (await devices(world))["node"]["authorized"] is False


async def test_a_device_is_deleted_by_either_id(world, control):
    for name in ("id", "nodeId"):
        control.add_device("node")
        path = f"/device/{(await devices(world))['node'][name]}"
        assert (await world.castle.delete(path)).status_code == 200
        assert (await world.castle.delete(path)).status_code == 404
        assert control.devices == {}
