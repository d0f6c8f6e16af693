"""What each machine was given: remembered beside the journal, since a configured machine is asked no more.

A record belongs to a virtual machine. It is empty from before the machine is made until it is first configured; then it
holds digests of the configurations that it was sent: one, or several where a run was killed while it sent another.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from rebirth.castle import Machine
from rebirth.paths import Paths
from rebirth.phases.made.machine_patches import Wanted
from rebirth.run.facts import NodeKeyMinted, SecretsResolved
from rebirth.secrets import Secret

_LENGTH = 16


def file(paths: Paths, machine: str) -> Path:
    return folder(paths) / machine


def folder(paths: Paths) -> Path:
    return paths.state / "machines"


def known(paths: Paths, machine: str) -> tuple[str, ...] | None:
    """The digests that the machine was sent; empty for one that was made and never configured. None: nothing is known."""
    try:
        return tuple(file(paths, machine).read_text(encoding="ascii").split())
    except FileNotFoundError:
        return None


def forget(paths: Paths, machine: str) -> None:
    """It is no machine of this castle any more."""
    file(paths, machine).unlink(missing_ok=True)


def made(paths: Paths, machine: str) -> None:
    """A virtual machine of that name is about to be made: nothing has been sent to it."""
    _write(paths, machine, ())


def sending(paths: Paths, machine: str, digest: str) -> None:
    """Before it is sent: from now on the machine may have it."""
    _write(paths, machine, dict.fromkeys([*(known(paths, machine) or ()), digest]))


def sent(paths: Paths, machine: str, digest: str) -> None:
    """The machine has taken it."""
    _write(paths, machine, (digest,))


def _write(paths: Paths, machine: str, digests: Iterable[str]) -> None:
    target = file(paths, machine)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{machine}.new")
    try:
        fresh.write_text("\n".join(digests), encoding="ascii")
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def digest(wanted: Wanted, machine: Machine) -> str:
    """Of everything that makes the machine's configuration, but for the values of secrets: those are told by name."""
    names = {login.password.secret: Secret(login.password.secret) for login in wanted.logins.logins}
    key = NodeKeyMinted(Secret("node key"), "")
    said = [
        wanted.identity.name,
        wanted.kubernetes.endpoint,
        wanted.kubernetes.version,
        wanted.talos.version,
        wanted.talos.installer_of(machine, wanted.machines),
        machine.role,
        *wanted.patches(machine, SecretsResolved(names), key),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:_LENGTH]
