"""The secrets of a rehearsal: made when the lab starts, shaped like the real ones, known to the lab's systems.

They are canaries, too: whatever of them turns up in a file outside the vault directory has leaked.
"""

import base64
import secrets
import uuid
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from rebirth.castle import Castle, host_of
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds, place_of
from rebirth.lab.proxmox_host import section
from rebirth.lab.spec import Lab


def kinds(castle: Castle, authority: Authority) -> Kinds:
    """Makes secrets that fit this castle."""
    return Kinds(authority, [site.host for site in castle.sites], host_of(castle.gitops.repository))


def make(castle: Castle, lab: Lab, *, ca: Authority, vault_ca: Authority) -> dict[str, str]:
    """A value for every secret that the castle references, by its name in the vault directory.

    What a system of the lab knows has the shape that this system gives; all others are made by their kind. Vault's token is for Vault to make: here it is one that Vault refuses.
    """
    shapes = {section(castle).token.secret: f"rebirth@pve!lab={uuid.uuid4()}"}
    if castle.gitops.token:
        shapes[castle.gitops.token.secret] = f"ghp_{secrets.token_hex(18)}"
    if castle.engine.vault and castle.engine.vault.ca:
        shapes[castle.engine.vault.ca.secret] = vault_ca.pem
    others = (section(castle).ca, *(site.ca for site in castle.sites))
    shapes |= {reference.secret: ca.pem for reference in others if reference}
    tailnet = castle.tailscale
    clients = [(tailnet.oauth_client_id.secret, tailnet.oauth_client_secret.secret)] if tailnet else []
    for identity, secret in [*clients, *((client.id, client.secret) for client in lab.tailnet.clients)]:
        shapes[identity] = f"k{secrets.token_hex(8)}CNTRL"
        shapes[secret] = f"tskey-client-{secrets.token_hex(8)}-{secrets.token_hex(16)}"
    made = kinds(castle, ca)
    if decryption := castle.gitops.decryption:
        shapes[decryption.age_key.secret] = made.make("age.agekey", decryption.age_key.secret, "")
    if anchors := castle.anchors:
        shapes[anchors.age_key.secret] = made.make("age.agekey", anchors.age_key.secret, "")
    if ssh := castle.gitops.ssh:  # the keys of the host that it goes with are the host's to make
        shapes[ssh.private_key.secret] = made.make("identity", ssh.private_key.secret, "")
    for path, reference in castle.references():
        if reference.secret not in shapes:
            key, group = place_of(path, reference.secret)
            shapes[reference.secret] = made.make(key, reference.secret, group)
    return {reference.secret: shapes[reference.secret] for _, reference in castle.references()}


def write(values: dict[str, str], folder: Path) -> None:
    """One file a secret, mode 0600, in a folder that only its owner enters."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, value in values.items():
        file = folder / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(value)


def forms(values: Iterable[str]) -> set[str]:
    """What to look for in files, arguments and environments: each value (of several lines: each that says something) as it
    is, as a URL carries it, and what base64 makes of it wherever in a longer text it begins.
    """
    found = set()
    for value in {line.strip() for text in values for line in text.splitlines() if "-----" not in line}:
        if len(value) > 8:
            found |= {value, quote(value, safe=""), *(_inside_base64(value.encode(), before) for before in range(3))}
    return found


def _inside_base64(value: bytes, before: int) -> str:
    """The characters that are the same whatever `before` bytes stand in front, and whatever follows."""
    encoded = base64.b64encode(b"x" * before + value).decode()
    return encoded[4 if before else 0 : (before + len(value)) // 3 * 4]
