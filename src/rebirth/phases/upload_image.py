"""The Talos boot image, in a storage of each Proxmox node that machines stand on."""

from collections.abc import Iterator
from typing import NamedTuple

from rebirth.castle import Machines, Proxmox, Talos, placement
from rebirth.castle.hardware import Schematic
from rebirth.providers.factory import ImageFactory
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.run.facts import ImageUploaded, Made, OutsideReached
from rebirth.run.waiting import together

LAYER = "platform"
# The factory builds an image the first time that a schematic is asked for, which takes minutes; then 100 to 400 MB have to come
# over a line that may have 20 Mbit/s.
PATIENCE = 1200
USUALLY = 20
HINT = "See the tasks of the Proxmox host: does it reach the image factory, and is its line slow?"


class _Image(NamedTuple):
    node: str
    storage: str
    name: str
    url: str

    @property
    def volume(self) -> str:
        return f"{self.storage}:iso/{self.name}"


async def upload_image(
    talos: Talos,
    machines: Machines,
    spec: Proxmox,
    proxmox: ProxmoxApi,
    factory: ImageFactory,
    outside: OutsideReached,
) -> ImageUploaded:
    """Upload the Talos boot image."""
    wanted = dict(_images(talos, machines, spec))
    if missing := await _missing(wanted, proxmox):
        named = talos.schematics(machines)
        lists = {schematic.id: schematic.text for schematic in named if isinstance(schematic, Schematic)}
        await together(*(factory.register(schematic=text, identity=known) for known, text in lists.items()))
    await together(*(proxmox.download_image(**image._asdict()) for image in missing))
    return ImageUploaded({name: image.volume for name, image in wanted.items()})


async def found(talos: Talos, machines: Machines, spec: Proxmox) -> ImageUploaded:
    return ImageUploaded({name: image.volume for name, image in _images(talos, machines, spec)})


async def still(fact: ImageUploaded, talos: Talos, machines: Machines, spec: Proxmox, proxmox: ProxmoxApi) -> bool:
    wanted = dict(_images(talos, machines, spec))
    same = fact.volumes == {name: image.volume for name, image in wanted.items()}
    return same and not await _missing(wanted, proxmox)


async def undo(talos: Talos, machines: Machines, spec: Proxmox, proxmox: ProxmoxApi) -> list[Made]:
    """The Talos boot image, which stays.

    Nothing says who uploaded it, other castles boot from it, and to remove it a token would need the right to remove
    every volume of the storage.
    """
    there = await _there(dict(_images(talos, machines, spec)), proxmox)
    return [
        Made("boot image", image.volume, "", stays=f"other castles may boot from it; it is on the node {image.node}")
        for image in sorted(there)
    ]


async def _missing(wanted: dict[str, _Image], proxmox: ProxmoxApi) -> list[_Image]:
    """Those that a node has to fetch: into a shared storage only one of them."""
    missing = sorted({*wanted.values()} - await _there(wanted, proxmox))
    shared = {node: await proxmox.shared_storages(node=node) for node in {image.node for image in missing}}
    fetched: dict[tuple[str, str], _Image] = {}
    for image in missing:
        fetched.setdefault(("" if image.storage in shared[image.node] else image.node, image.volume), image)
    return list(fetched.values())


async def _there(wanted: dict[str, _Image], proxmox: ProxmoxApi) -> set[_Image]:
    places = sorted({(image.node, image.storage) for image in wanted.values()})
    found = await together(*(proxmox.images(node=node, storage=storage) for node, storage in places))
    held = dict(zip(places, found, strict=True))
    return {image for image in wanted.values() if image.volume in held[image.node, image.storage]}


def _images(talos: Talos, machines: Machines, spec: Proxmox) -> Iterator[tuple[str, _Image]]:
    """The image of each machine."""
    places = placement(machines, spec)
    for machine in machines.nodes:
        place = places[machine.name]
        name, url = talos.image_name(machine, machines), talos.image_url(machine, machines)
        yield machine.name, _Image(place.node, place.image_storage, name, url)
