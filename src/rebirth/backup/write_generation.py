"""The list of what was kept, last of all: what has none is no generation."""

from rebirth.backup.facts import CredentialsKept, DatabasesKept, GenerationWritten, VaultKept
from rebirth.castle import Anchors
from rebirth.providers.anchors.archive import Archive

LAYER = "waits"
PATIENCE = 600


async def write_generation(
    anchors: Anchors,
    archive: Archive,
    credentials: CredentialsKept | None,
    vault: VaultKept | None,
    databases: DatabasesKept | None,
) -> GenerationWritten:
    """Write the generation."""
    parts = [part for kept in (credentials, vault, databases) if kept for part in kept.parts]
    written = await archive.write(parts)
    return GenerationWritten(written.name, archive.place, tuple(written.parts))
