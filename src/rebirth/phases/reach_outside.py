"""Every outside system is asked once, and every program looked for, before anything is created anywhere."""

from collections.abc import Coroutine
from typing import Any

from rebirth.castle import FluxByOperator, Handovers, Machines, Proxmox, Tailscale
from rebirth.commands import Commands
from rebirth.errors import Broken
from rebirth.paths import Paths
from rebirth.phases.free_names import refuse_foreign
from rebirth.phases.made.virtual_machines import needs
from rebirth.providers.anchors.snapshots import VaultSnapshots
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.proxmox_rights import Needs
from rebirth.providers.tailnet import TailnetApi
from rebirth.providers.vault import VaultApi
from rebirth.run.facts import ArchiveRead, OutsideReached, RepositoryRead
from rebirth.run.waiting import together

LAYER = "secrets"
PATIENCE = 60  # three times as long as its clients wait for an answer
PREPARES = True
ON_DEMAND = True
WHERE = {  # system -> where a right is given
    "Proxmox": "Datacenter, Permissions, Add, API Token Permission",
    "Tailscale": "the OAuth client of tailscale.oauth_client_id, in the admin console",
    "Vault": "the policy of engine.vault.token",
}


async def reach_outside(
    spec: Proxmox | None,
    tailscale: Tailscale | None,
    machines: Machines,
    handovers: Handovers,
    paths: Paths,
    proxmox: ProxmoxApi | None,
    tailnet: TailnetApi | None,
    vault: VaultApi | None,
    commands: Commands,
    repository: RepositoryRead,
    flux_operator: FluxByOperator | None,
    snapshots: VaultSnapshots | None,
    kept: ArchiveRead | None,
) -> OutsideReached:
    """Reach the systems outside."""
    exported = repository.flux_manifests is None and flux_operator is None
    commands.require("talosctl", "helm", *(("flux",) if exported else ()))
    wanted = needs(machines, spec) if spec else None

    async def version() -> str:
        return str(await proxmox.reach(wanted)) if proxmox and wanted else ""

    if snapshots and kept and (state := await snapshots.state()) != "full":
        vault = None  # it knows the castle's token when it has what is kept of it
        if state == "empty":
            await snapshots.refuse_what_would_be_lost()

    found, *_ = await together(version(), *([vault.reach()] if vault else []))
    if lacks := await missing_rights(wanted, handovers, proxmox, tailnet, vault):
        said = "; ".join(f"{system}: {', '.join(rights)}" for system, rights in lacks.items())
        hint = " ".join(f"{system}: {WHERE[system]}." for system in lacks)
        raise Broken(f"missing rights: {said}", operation="look up rights", hint=hint)
    if proxmox and wanted:
        await proxmox.offers(wanted)
    if tailscale and tailnet:
        refuse_foreign(await tailnet.devices(), tailscale, machines, paths)
    return OutsideReached(found or "")


async def missing_rights(
    wanted: Needs | None,
    handovers: Handovers,
    proxmox: ProxmoxApi | None,
    tailnet: TailnetApi | None,
    vault: VaultApi | None,
) -> dict[str, list[str]]:
    """What the tokens may not do that create and destroy need: system -> rights. Empty where they may do all. Nothing is written."""
    asked: dict[str, Coroutine[Any, Any, list[str]]] = {}
    if proxmox and wanted:
        asked["Proxmox"] = proxmox.lacks(wanted)
    if tailnet:
        asked["Tailscale"] = tailnet.lacks()
    if vault:
        asked["Vault"] = vault.lacks(writes=[handover.to.path for handover in handovers.handovers])
    return {system: lacks for system, lacks in zip(asked, await together(*asked.values()), strict=True) if lacks}
