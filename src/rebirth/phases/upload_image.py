"""The Talos boot image, in a storage of the Proxmox node."""

from rebirth.castle import Machines, Proxmox, Talos
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.run.facts import ImageUploaded, Made, OutsideReached

LAYER = "platform"
# The factory builds an image the first time that a schematic is asked for, which takes minutes; then 100 to 400 MB have to come
# over a line that may have 20 Mbit/s.
PATIENCE = 1200
USUALLY = 20


async def upload_image(
    talos: Talos, machines: Machines, spec: Proxmox, proxmox: ProxmoxApi, outside: OutsideReached
) -> ImageUploaded:
    """Upload the Talos boot image."""
    volume = _volume(talos, machines, spec)
    if volume not in await proxmox.images(storage=spec.image_storage):
        name, url = talos.image_name(machines.platform), talos.image_url(machines.platform)
        await proxmox.download_image(storage=spec.image_storage, name=name, url=url)
    return ImageUploaded(volume)


async def found(talos: Talos, machines: Machines, spec: Proxmox) -> ImageUploaded:
    return ImageUploaded(_volume(talos, machines, spec))


async def still(fact: ImageUploaded, spec: Proxmox, proxmox: ProxmoxApi) -> bool:
    return fact.volume in await proxmox.images(storage=spec.image_storage)


async def undo(talos: Talos, machines: Machines, spec: Proxmox, proxmox: ProxmoxApi) -> list[Made]:
    """The Talos boot image, which stays.

    Nothing says who uploaded it, other castles boot from it, and to remove it a token would need the right to remove
    every volume of the storage.
    """
    volume = _volume(talos, machines, spec)
    if volume not in await proxmox.images(storage=spec.image_storage):
        return []
    return [Made("boot image", volume, "", stays=f"other castles may boot from it; it is on the node {spec.node}")]


def _volume(talos: Talos, machines: Machines, spec: Proxmox) -> str:
    return f"{spec.image_storage}:iso/{talos.image_name(machines.platform)}"
