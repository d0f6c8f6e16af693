"""The Talos secrets bundle, encrypted as all that is kept."""

from rebirth.backup.facts import CredentialsKept
from rebirth.castle import CredentialsAnchor
from rebirth.castle.files import content_of
from rebirth.errors import Broken
from rebirth.paths import Paths
from rebirth.phases.made.kept import TALOS_SECRETS
from rebirth.providers.anchors.archive import Archive

LAYER = "waits"
PATIENCE = 600
_LARGEST = 4 << 20  # bytes: some hundred times what talosctl writes


async def keep_credentials(anchor: CredentialsAnchor, paths: Paths, archive: Archive) -> CredentialsKept:
    """Keep the Talos secrets."""
    try:
        content = content_of(paths.talos_secrets, largest=_LARGEST)
    except FileNotFoundError:
        hint = "Is the castle created, and from this machine? They are in the produced folder."
        raise Broken(
            "there are none", system=str(paths.talos_secrets), operation="keep the Talos secrets", hint=hint
        ) from None
    return CredentialsKept((await archive.keep(*TALOS_SECRETS, content),))
