"""The rights that SECURITY.md lists for the token of Proxmox are enough for a machine's whole life, and each of them is needed."""

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from rebirth.castle import Identity, placement
from rebirth.errors import Broken
from rebirth.lab.proxmox import Rights
from rebirth.lab.proxmox_host import least_rights
from rebirth.phases.made.virtual_machines import needs, options


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
        castle, images = outside.castle, {"node": spec.node, "storage": spec.image_storage}
        await proxmox.offers(needs(castle.machines, spec))
        volume = await proxmox.download_image(**images, name="talos.iso", url=f"{served.url}/talos.iso")
        assert volume in await proxmox.images(**images)
        machine, place = castle.machines.nodes[0], placement(castle.machines, spec)
        wanted = options(Identity(name=castle.name), machine, castle.machines, spec, place[machine.name], volume)
        await proxmox.create(node=spec.node, vm_id=800, options=wanted)
        assert [machine.tags for machine in await proxmox.machines()] == [{spec.tag}]
        for act in (proxmox.start, proxmox.stop, proxmox.delete):
            await act(node=spec.node, vm_id=800)

    return run


async def test_they_are_enough(outside, live):
    await live(least_rights(outside.castle))
    assert outside.pve.machines == {}


async def test_each_of_them_is_needed(outside, live):
    rights = least_rights(outside.castle)
    for path, privileges in rights.items():
        for privilege in privileges:
            with pytest.raises((Broken, AssertionError)):
                await live(rights | {path: privileges - {privilege}})
            outside.pve.machines.clear()
            outside.pve.conditions.clear()
            for storage in outside.pve.storages.values():
                storage.volumes.clear()
