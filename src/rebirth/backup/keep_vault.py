"""A snapshot of Vault."""

from rebirth.backup.facts import VaultKept
from rebirth.castle import Vault, VaultAnchor
from rebirth.errors import Broken, NoAnswer
from rebirth.phases.made.kept import VAULT
from rebirth.providers.anchors.archive import Archive
from rebirth.providers.anchors.snapshots import VaultSnapshots

LAYER = "waits"
PATIENCE = 1800


async def keep_vault(spec: Vault, anchor: VaultAnchor, snapshots: VaultSnapshots, archive: Archive) -> VaultKept:
    """Keep a snapshot of Vault."""
    state = await snapshots.state()
    if state == "sealed":
        raise NoAnswer("Vault: it is sealed", hint="Unseal it.")
    if state == "empty":
        hint = "`rebirth create` restores what was kept of it, where anchors.restore says so."
        raise Broken(f"nothing is at {spec.mount}, and nothing is kept", system="Vault", operation="list", hint=hint)
    return VaultKept((await archive.keep(VAULT, spec.mount, await snapshots.take()),))
