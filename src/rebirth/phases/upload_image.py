"""The Talos boot image, in a storage of the Proxmox node."""

from rebirth.castle import Proxmox, Talos
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.run.facts import ImageUploaded, OutsideReached

LAYER = "platform"
PATIENCE = 600
USUALLY = 20


async def upload_image(talos: Talos, spec: Proxmox, proxmox: ProxmoxApi, outside: OutsideReached) -> ImageUploaded:
    """Upload the Talos boot image."""
    volume = f"{spec.image_storage}:iso/{talos.image_name}"
    if volume not in await proxmox.images(storage=spec.image_storage):
        await proxmox.download_image(storage=spec.image_storage, name=talos.image_name, url=talos.image_url)
    return ImageUploaded(volume)


async def still(fact: ImageUploaded, spec: Proxmox, proxmox: ProxmoxApi) -> bool:
    return fact.volume in await proxmox.images(storage=spec.image_storage)
