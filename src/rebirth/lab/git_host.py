"""The castle's Git hosts: which folder is served under which URL, and how it is encrypted for this lab."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from rebirth.castle import Castle, GitOps, host_of, port_of
from rebirth.castle.reference import SecretRef
from rebirth.lab import canaries
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import recipient_of
from rebirth.lab.spec import Lab
from rebirth.lab.systems import git, sops, ssh
from rebirth.lab.systems.parts import Parts


async def repositories(
    castle: Castle, lab: Lab, folder: Path, root: Path, change: Callable[[Path], Awaitable[None]] | None
) -> dict[str, git.Repository]:
    """The repositories of lab.yaml by URL, made below `root` out of folders beside castle.yaml in `folder`."""
    made = {}
    for url, source in lab.repositories.items():
        made[url] = git.Repository(
            root / host_of(url) / urlsplit(url).path.lstrip("/"),
            (folder / source).resolve(),
            castle.gitops.branch,
            change,
        )
        await made[url].make()
    return made


def place(root: Path, url: str) -> Path:
    """Where a public repository lies below `root`: its name ends in .git, however the URL spells it."""
    return root / host_of(url) / f"{urlsplit(url).path.strip('/').removesuffix('.git')}.git"


async def serve_ssh(
    gitops: GitOps, secrets: Mapping[str, str], parts: Parts, folder: Path, root: Path, address: str
) -> dict[str, str]:
    """The castle's own host answers over SSH too, to the castle's key. Returns what the castle knows that host by, among its secrets."""
    if gitops.ssh is None or not isinstance(gitops.ssh.known_hosts, SecretRef):
        return {}
    host, port = host_of(gitops.repository), port_of(gitops.repository, ssh.PORT)
    key = secrets[gitops.ssh.private_key.secret]
    folder.mkdir()
    ssh.admit(urlsplit(gitops.repository).username or "git", folder)
    public = await ssh.start(parts, folder=folder, root=root, address=address, port=port, key=key)
    named = host if port == ssh.PORT else f"[{host}]:{port}"
    return {gitops.ssh.known_hosts.secret: f"{named} {public}\n"}


def encrypting(
    castle: Castle, secrets: Mapping[str, str], ca: Authority, program: str | None
) -> Callable[[Path], Awaitable[None]] | None:
    """What makes encrypted files ones that this lab's age key decrypts; None where there is nothing to encrypt or to decrypt with."""
    if (decryption := castle.gitops.decryption) is None or program is None:
        return None
    recipient = recipient_of(secrets[decryption.age_key.secret])
    return partial(sops.encrypt_anew, sops=program, recipient=recipient, kinds=canaries.kinds(castle, ca))
