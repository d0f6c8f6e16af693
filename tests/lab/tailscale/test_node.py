"""The agent on a machine: who it is on the tailnet, over its restarts."""

import httpx
import pytest

from rebirth.lab.systems.faults import Fault
from rebirth.lab.talos import tailscale
from rebirth.lab.talos.parts import Service


@pytest.fixture
async def boot(world, tmp_path):
    """The machine boots, and its agent joins: the device, or None."""
    key = await world.key(reusable=True, ephemeral=True)

    async def start():
        body = tailscale.registration({"TS_AUTHKEY": key["key"]}, "node")
        return await tailscale.join(world.lab, body, Service("ext-tailscale"), tmp_path / "tailscale" / "device.json")

    return start


async def test_a_restarted_machine_is_the_device_that_it_was(boot, tailnet, clock):
    first = await boot()
    clock.now += 30
    assert await boot() == first
    assert [device.seen for device in tailnet.devices.values()] == [clock.now]


async def test_a_machine_that_the_tailnet_has_dropped_joins_anew(boot, clock):
    first = await boot()
    clock.now += 61  # longer than an ephemeral device may be silent
    again = await boot()
    assert again["id"] != first["id"]
    assert again["name"] == first["name"], "nobody else has taken it"
    assert await boot() == again


async def test_a_control_plane_that_is_not_well_makes_no_second_device(boot, world, tailnet):
    first = await boot()
    world.faults.set("tailscale", Fault(status=503, times=1, path="heartbeat"))
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        await boot()
    assert await boot() == first
    assert [device.name for device in tailnet.devices.values()] == ["node"]
