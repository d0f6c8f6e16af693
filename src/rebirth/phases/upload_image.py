"""The Talos boot image, in a storage of the Proxmox node."""

from rebirth.facts import ImageUploaded, OutsideReached
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.spec import Proxmox, Talos

LAYER = "platform"
PATIENCE = 600


async def upload_image(talos: Talos, spec: Proxmox, proxmox: ProxmoxApi, outside: OutsideReached) -> ImageUploaded:
    """Upload the Talos boot image."""
    volume = _volume(talos, spec)
    if volume not in await proxmox.images(storage=spec.image_storage):
        await proxmox.download_image(storage=spec.image_storage, name=talos.image_name, url=talos.image_url)
    return ImageUploaded(volume)


async def found(talos: Talos, spec: Proxmox) -> ImageUploaded:
    return ImageUploaded(_volume(talos, spec))


async def still(fact: ImageUploaded, spec: Proxmox, proxmox: ProxmoxApi) -> bool:
    return fact.volume in await proxmox.images(storage=spec.image_storage)


def _volume(talos: Talos, spec: Proxmox) -> str:
    return f"{spec.image_storage}:iso/{talos.image_name}"
