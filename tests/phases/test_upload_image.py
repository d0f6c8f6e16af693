"""The boot image: from nothing; again, without a write; after a kill at its write."""

import pytest

from phases.conftest import REACHED
from rebirth.errors import Broken
from rebirth.lab.proxmox import Volume
from rebirth.lab.systems.factory import factory_app
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.phases import upload_image


async def test_the_image_is_uploaded_once(outside):
    async def run():
        return await upload_image.upload_image(
            outside.castle.talos, outside.castle.machines, outside.castle.proxmox, outside.proxmox, REACHED
        )

    with pytest.raises(Broken, match="download image"):  # the factory is not reachable from here
        await run()
    volume = f"local:iso/{outside.castle.talos.image_name('nocloud')}"
    outside.pve.storage("local").volumes[volume] = Volume("iso", 1 << 20)
    before = outside.writes
    fact = await run()
    assert set(fact.volumes.values()) == {volume}
    assert outside.writes == before
    assert await upload_image.still(
        fact, outside.castle.talos, outside.castle.machines, outside.castle.proxmox, outside.proxmox
    )


@pytest.fixture
async def factory(outside, serve):
    """`await factory()`: the image's phase against an image factory of its own, whose answers `factory.faults` delays."""
    faults = Faults()
    served = await serve(faults.around("factory", factory_app()))
    outside.pve.ca = str(served.ca)
    talos = outside.castle.talos.model_copy(update={"image_factory": served.url})

    async def run():
        return await upload_image.upload_image(
            talos, outside.castle.machines, outside.castle.proxmox, outside.proxmox, REACHED
        )

    run.faults = faults
    return run


def downloads(outside):
    return [task for task in outside.pve.tasks.values() if task.kind == "download"]


async def test_the_image_from_nothing_and_again(outside, factory):
    fact = await factory()
    assert set(fact.volumes.values()) == {*outside.pve.storage("local").volumes}
    before = outside.writes
    assert await factory() == fact
    assert outside.writes == before
    assert len(downloads(outside)) == 1


async def test_the_image_after_a_kill_at_the_write(outside, factory):
    factory.faults.set("factory", Fault(delay=0.5))
    await outside.killed_after_each_write("proxmox", factory)
    assert [task.exit_status for task in downloads(outside)] == ["OK"], "the running download is taken up"


async def test_a_download_that_failed_is_started_again(outside, factory):
    factory.faults.set("factory", Fault(status=503))
    with pytest.raises(Broken, match="503"):
        await factory()
    factory.faults.clear()
    await factory()
    assert [task.exit_status for task in downloads(outside)][1:] == ["OK"]
