"""Every outside system is asked once, and every program looked for, before anything is created anywhere."""

from rebirth.castle import Handovers, Proxmox
from rebirth.commands import Commands
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.tailnet import TailnetApi
from rebirth.providers.vault import VaultApi
from rebirth.run.facts import OutsideReached, RepositoryRead
from rebirth.run.waiting import together

LAYER = "secrets"
PATIENCE = 20
PREPARES = True
ON_DEMAND = True


async def reach_outside(
    spec: Proxmox,
    handovers: Handovers,
    proxmox: ProxmoxApi,
    tailnet: TailnetApi,
    vault: VaultApi,
    commands: Commands,
    repository: RepositoryRead,
) -> OutsideReached:
    """Reach Proxmox, the tailnet, Vault and the repository."""
    commands.require("talosctl", "helm", *(("flux",) if repository.flux_manifests is None else ()))
    version, _, _ = await together(
        _reach_host(spec, proxmox),
        tailnet.devices(),
        vault.reach(writes=[handover.to.path for handover in handovers.handovers]),
    )
    return OutsideReached(str(version))


async def _reach_host(spec: Proxmox, proxmox: ProxmoxApi) -> str:
    version = await proxmox.reach()
    await proxmox.offers(image_storage=spec.image_storage, disk_storage=spec.disk_storage, bridge=spec.bridge)
    return version
