"""What is restored is read, as a whole, before anything is made: a backup that is missing or damaged is one that nothing waits for."""

from rebirth.castle import CredentialsAnchor, DatabaseAnchors, Restore, Vault, VaultAnchor
from rebirth.errors import Broken
from rebirth.phases.made import kept
from rebirth.providers.anchors.archive import Archive
from rebirth.run.facts import ArchiveRead
from rebirth.run.waiting import note

LAYER = "secrets"
PATIENCE = 1800  # some gigabytes over a slow line
PREPARES = True
ON_DEMAND = True
HINT = "Is the archive of section `anchors` reachable from here?"


async def read_archive(
    restore: Restore,
    credentials: CredentialsAnchor | None,
    vault: Vault | None,
    snapshot: VaultAnchor | None,
    databases: DatabaseAnchors | None,
    archive: Archive,
) -> ArchiveRead:
    """Read what is restored."""
    name, contents = await archive.contents(restore.generation)
    wanted = kept.wanted(credentials, vault if snapshot else None, databases)
    if missing := [f"{kind} {one}" for kind, one in wanted if (kind, one) not in contents]:
        hint = "It was written before castle.yaml named them: leave them out of section anchors for this create."
        text = f"{archive.place}: the generation {name} has no {', '.join(missing)}"
        raise Broken(text, system="archive", operation="restore", hint=hint)
    note(f"restores from the generation {name}")
    return ArchiveRead(name, contents)
