"""A Vault that is new gets what the castle's Vault held, and with it the castle's token; one that holds something keeps it."""

from rebirth.castle import Handovers, Restore, Vault, VaultAnchor
from rebirth.errors import Broken, NotYet
from rebirth.phases.made.kept import VAULT
from rebirth.providers.anchors.snapshots import VaultSnapshots
from rebirth.providers.vault import VaultApi
from rebirth.run.facts import ArchiveRead, OutsideReached, VaultRestored
from rebirth.run.waiting import note, until

LAYER = "engine"
PATIENCE = 600
USUALLY = 10
# Looks, a second apart, at a Vault that has been unsealed with a snapshot: OpenBao has lost what was written to it in the first
# tenth of a second, now and then, after it had shown it.
_SETTLES = 3


async def restore_vault(
    restore: Restore,
    spec: Vault,
    anchor: VaultAnchor,
    handovers: Handovers,
    snapshots: VaultSnapshots,
    vault: VaultApi,
    kept: ArchiveRead,
    outside: OutsideReached,
) -> VaultRestored:
    """Restore what Vault held."""
    state = await snapshots.state()
    if state == "empty":
        await snapshots.restore(kept.contents[VAULT, spec.mount])
        note(f"Vault was empty, and has what it held in the generation {kept.generation}")
    elif state == "full":
        note("Vault holds something already, and is left as it is")

    looks_left = 0 if state == "full" else _SETTLES

    async def has_it() -> None:
        nonlocal looks_left
        # It seals itself where the snapshot is of a Vault with other keys; an earlier run may have been killed then.
        await snapshots.open()
        if await snapshots.state() != "full":
            raise NotYet("the snapshot is not in place yet")
        if looks_left:
            looks_left -= 1
            raise NotYet("it has only just taken the snapshot")

    await until(has_it, what="Vault has what it held", every=1)
    await vault.reach()
    if lacks := await vault.lacks(writes=[handover.to.path for handover in handovers.handovers]):
        text = f"missing rights: {', '.join(lacks)}"
        hint = "The policy of engine.vault.token in the Vault that was restored."
        raise Broken(text, system="Vault", operation="look up rights", hint=hint)
    return VaultRestored(spec.mount)


async def found(spec: Vault) -> VaultRestored:
    return VaultRestored(spec.mount)


async def still(fact: VaultRestored, snapshots: VaultSnapshots) -> bool:
    return await snapshots.state() == "full"
