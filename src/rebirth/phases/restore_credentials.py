"""The Talos secrets bundle that the castle had: its certificate authorities, and the key that signs service accounts' tokens."""

from rebirth.castle import CredentialsAnchor, Restore
from rebirth.paths import Paths
from rebirth.phases.made.kept import TALOS_SECRETS
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import ArchiveRead, CredentialsRestored, OutsideReached
from rebirth.run.waiting import note

LAYER = "platform"
PATIENCE = 60


async def restore_credentials(
    restore: Restore,
    anchor: CredentialsAnchor,
    paths: Paths,
    talosctl: Talosctl,
    kept: ArchiveRead,
    outside: OutsideReached,
) -> CredentialsRestored:
    """Restore the Talos secrets."""
    if paths.talos_secrets.exists():  # machines that run were made with these, whatever the archive has
        note("the Talos secrets are there already, and are left as they are")
    else:
        talosctl.put_secrets(kept.contents[TALOS_SECRETS])
    return CredentialsRestored((paths.talos_secrets.name,))


async def found(paths: Paths) -> CredentialsRestored:
    return CredentialsRestored((paths.talos_secrets.name,))


async def still(fact: CredentialsRestored, paths: Paths) -> bool:
    return paths.talos_secrets.exists()
