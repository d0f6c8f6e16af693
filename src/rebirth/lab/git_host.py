"""The castle's Git hosts: which folder is served under which URL, and how it is encrypted for this lab."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from rebirth.castle import Castle, host_of
from rebirth.lab import canaries
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import recipient_of
from rebirth.lab.spec import Lab
from rebirth.lab.systems import git, sops


async def repositories(
    castle: Castle, lab: Lab, folder: Path, root: Path, change: Callable[[Path], Awaitable[None]] | None
) -> dict[str, git.Repository]:
    """The repositories of lab.yaml by URL, made below `root` out of folders beside castle.yaml in `folder`."""
    made = {}
    for url, source in lab.repositories.items():
        bare = root / host_of(url) / urlsplit(url).path.lstrip("/")
        made[url] = git.Repository(bare, (folder / source).resolve(), castle.gitops.branch, change)
        await made[url].make()
    return made


def encrypting(
    castle: Castle, secrets: Mapping[str, str], ca: Authority, program: str | None
) -> Callable[[Path], Awaitable[None]] | None:
    """What makes encrypted files ones that this lab's age key decrypts; None where there is nothing to encrypt or to decrypt with."""
    if (decryption := castle.gitops.decryption) is None or program is None:
        return None
    recipient = recipient_of(secrets[decryption.age_key.secret])
    return partial(sops.encrypt_anew, sops=program, recipient=recipient, kinds=canaries.kinds(castle, ca))
