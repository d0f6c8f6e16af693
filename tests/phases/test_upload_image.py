"""The boot image: from nothing; again, without a write; after a kill at its write."""

import pytest
from starlette.responses import JSONResponse, Response

from phases.conftest import REACHED
from rebirth.castle.hardware import Schematic
from rebirth.errors import Broken, NotYet
from rebirth.lab.proxmox import Volume
from rebirth.lab.systems.factory import factory_app
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.phases import upload_image
from rebirth.providers.factory import ImageFactory

NO_FACTORY = ImageFactory(url="https://127.0.0.1:1")


async def test_the_image_is_uploaded_once(outside):
    async def run():
        return await upload_image.upload_image(
            outside.castle.talos, outside.castle.machines, outside.castle.proxmox, outside.proxmox, NO_FACTORY, REACHED
        )

    with pytest.raises(Broken, match="download image"):  # the factory is not reachable from here
        await run()
    volume = f"local:iso/{outside.image}"
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
            talos,
            outside.castle.machines,
            outside.castle.proxmox,
            outside.proxmox,
            ImageFactory(url=served.url),
            REACHED,
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


async def test_a_download_that_ends_between_two_looks_is_not_begun_again(outside, factory):
    """An earlier run's: the storage was looked at before it ended, the tasks are afterwards."""
    await factory()
    spec, before = outside.castle.proxmox, outside.writes
    place = {"node": spec.node, "storage": spec.image_storage}
    volume = await outside.proxmox.download_image(**place, name=outside.image, url="https://127.0.0.1:1/talos.iso")
    assert volume in await outside.proxmox.images(**place)
    assert outside.writes == before


async def test_a_list_of_extensions_is_made_known_to_the_factory_first(outside, serve):
    faults = Faults()
    served = await serve(faults.around("factory", factory_app(known=())))
    outside.pve.ca = str(served.ca)
    listed = Schematic(extensions=["qemu-guest-agent", "iscsi-tools"], kernel_args=["net.ifnames=0"])
    talos = outside.castle.talos.model_copy(update={"image_factory": served.url, "schematic": listed})

    async def run(schematic=listed):
        asked = talos.model_copy(update={"schematic": schematic})
        return await upload_image.upload_image(
            asked,
            outside.castle.machines,
            outside.castle.proxmox,
            outside.proxmox,
            ImageFactory(url=served.url),
            REACHED,
        )

    with pytest.raises(Broken, match="404"):
        await run(listed.id)
    assert faults.writes == {}, "an id is of a schematic that somebody made"
    fact = await run()
    assert listed.id[:12] in fact.volumes["lushycorp-k8s"]
    assert faults.writes == {"factory": 1}
    await run()
    assert faults.writes == {"factory": 1}, "nothing is asked where the image is there"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (JSONResponse({"id": "b" * 64}, 201), "calls the schematic bbbbbbbbbbbb"),
        (Response("unknown extension", 400), "rejects the schematic"),
    ],
)
async def test_a_factory_that_knows_better(serve, answer, words, monkeypatch):
    served = await serve(answer)
    monkeypatch.setenv("SSL_CERT_FILE", str(served.ca))
    with pytest.raises(Broken, match=words) as caught:
        await ImageFactory(url=served.url).register(schematic="customization: {}\n", identity="a" * 64)
    assert "schematic" in caught.value.hint


async def test_a_factory_that_does_not_answer():
    with pytest.raises(NotYet, match="image factory: register schematic: ConnectError"):
        await NO_FACTORY.register(schematic="customization: {}\n", identity="a" * 64)


async def test_a_download_that_failed_is_started_again(outside, factory):
    factory.faults.set("factory", Fault(status=503))
    with pytest.raises(Broken, match="503"):
        await factory()
    factory.faults.clear()
    await factory()
    assert [task.exit_status for task in downloads(outside)][1:] == ["OK"]
