"""A Proxmox host that is slow, or full: phases wait for the one, and say the other in Proxmox' words."""

import pytest

from phases.conftest import REACHED, SETTLED
from rebirth.castle import Identity
from rebirth.errors import Broken
from rebirth.lab.proxmox import Pace, Storage, Volume
from rebirth.lab.systems.factory import factory_app
from rebirth.phases import create_machines, upload_image
from rebirth.providers.factory import ImageFactory
from rebirth.run.facts import ImageUploaded
from rebirth.run.journal import Journal, Marks, Once


@pytest.fixture
async def upload(outside, serve):
    served = await serve(factory_app())
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

    return run


@pytest.fixture
def create(outside):
    async def run(image):
        spec, proxmox = outside.castle, outside.proxmox
        with Journal(outside.paths.state) as journal:
            return await create_machines.create_machines(
                Identity(name=spec.name),
                spec.machines,
                spec.proxmox,
                outside.paths,
                proxmox,
                Once(journal),
                Marks(journal),
                image,
                SETTLED,
                REACHED,
                *outside.inside,
            )

    return run


async def test_slow_tasks_are_waited_for(outside, upload, create):
    outside.pve.pace = Pace(task_seconds=0.7, bytes_per_second=1 << 20)
    made = await create(await upload())
    assert sorted(made.vm_ids.values()) == sorted(outside.pve.machines)
    assert all(task.exit_status == "OK" for task in outside.pve.tasks.values())


async def test_no_room_for_the_image(outside, upload):
    outside.pve.storages["local"] = Storage(frozenset({"iso"}), total=10)
    with pytest.raises(Broken, match=r"download image: download failed: .*\(No space left on device\)"):
        await upload()


async def test_no_room_for_a_disk(outside, create):
    volume = f"local:iso/{outside.image}"
    outside.pve.storages["local"].volumes[volume] = Volume("iso", 1)
    outside.pve.storages["local-lvm"] = Storage(frozenset({"images"}), total=1 << 30, thin=False)
    words = "create machine: unable to create VM 80[01] - lvcreate error: insufficient free space"
    with pytest.raises(Broken, match=words):
        await create(ImageUploaded({machine.name: volume for machine in outside.castle.machines.nodes}))
