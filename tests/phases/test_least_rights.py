"""The rights that SECURITY.md lists for the token of Proxmox are enough for a machine's whole life, and each of them is needed."""

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from rebirth.castle import Identity
from rebirth.errors import Broken
from rebirth.lab.proxmox import Rights
from rebirth.lab.proxmox_host import least_rights
from rebirth.phases.made.virtual_machines import options
from rebirth.run.facts import ImageUploaded


@pytest.fixture
async def live(outside, serve):
    """`await live(rights)`: what create, a second create and destroy do with Proxmox."""

    async def image(_):
        return Response(b"an image")

    served = await serve(Starlette(routes=[Route("/talos.iso", image)]))
    outside.pve.ca = str(served.ca)
    proxmox, spec = outside.proxmox, outside.castle.proxmox

    async def run(rights):
        outside.pve.rights = Rights(rights)
        images, disks = spec.image_storage, spec.disk_storage
        await proxmox.offers(image_storage=images, disk_storage=disks, bridge=spec.bridge)
        volume = await proxmox.download_image(storage=images, name="talos.iso", url=f"{served.url}/talos.iso")
        assert volume in await proxmox.images(storage=images)
        castle, image = outside.castle, ImageUploaded(volume)
        wanted = options(Identity(name=castle.name), castle.machines.nodes[0], castle.machines, spec, image)
        await proxmox.create(vm_id=800, options=wanted)
        assert [machine.tags for machine in await proxmox.machines()] == [{spec.tag}]
        await proxmox.start(vm_id=800)
        await proxmox.stop(vm_id=800)
        await proxmox.delete(vm_id=800)

    return run


async def test_they_are_enough(outside, live):
    await live(least_rights(outside.castle.proxmox))
    assert outside.pve.machines == {}


async def test_each_of_them_is_needed(outside, live):
    rights = least_rights(outside.castle.proxmox)
    for path, privileges in rights.items():
        for privilege in privileges:
            with pytest.raises((Broken, AssertionError)):
                await live(rights | {path: privileges - {privilege}})
            outside.pve.machines.clear()
            outside.pve.conditions.clear()
            for storage in outside.pve.storages.values():
                storage.volumes.clear()
