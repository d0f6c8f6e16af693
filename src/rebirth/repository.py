"""Where the files of a GitOps repository are: on this machine, or fetched."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rebirth.castle import Castle
from rebirth.castle.load import FILE
from rebirth.errors import NotYet, SpecError
from rebirth.lab.spec import load_lab

PATIENCE = 30.0  # seconds for a fetch


@dataclass(frozen=True)
class Repository:
    root: Path
    fetched: str = ""  # from where, if it lies in a temporary folder


def local(directory: Path, castle: Castle) -> Path | None:
    """The castle's repository where this machine has it: as lab.yaml maps it, or the git checkout that the castle lies in."""
    mapped = load_lab(directory).repositories.get(castle.gitops.repository)
    if mapped is not None:
        return (directory / mapped).resolve()
    top = next(
        (folder for folder in (directory.resolve(), *directory.resolve().parents) if (folder / ".git").exists()), None
    )
    return top if top and (top / castle.gitops.path).is_dir() else None


@asynccontextmanager
async def repository_of(directory: Path, castle: Castle, gitops: Path | None = None) -> AsyncIterator[Repository]:
    """The repository of a castle: `gitops` if given, else the local one, else fetched with the castle's token.

    Raises SpecError, Broken or NotYet where it cannot be fetched.
    """
    if found := gitops or local(directory, castle):
        yield Repository(found)
        return
    with TemporaryDirectory(prefix="rebirth-git-") as scratch:
        folder = Path(scratch).resolve() / "tree"
        await _fetch(directory, castle, folder)
        yield Repository(folder, f"{castle.gitops.repository}, branch {castle.gitops.branch}")


async def _fetch(directory: Path, castle: Castle, folder: Path) -> None:
    from rebirth.commands import Commands
    from rebirth.phases.resolve_secrets import resolve
    from rebirth.place import place_of
    from rebirth.providers.git import GitRemote
    from rebirth.secrets import Redaction

    redaction = Redaction()
    token = resolve(castle.gitops.token, place_of(directory, castle.secrets), redaction)
    gitops = castle.gitops
    remote = GitRemote(url=gitops.repository, branch=gitops.branch, token=token, commands=Commands(redaction))
    try:
        async with asyncio.timeout(PATIENCE):
            await remote.fetch(folder)
    except TimeoutError:
        hint = "`check --gitops` takes a local copy; `create --unproved` goes on without the proof."
        raise NotYet(f"{gitops.repository}: no answer in {PATIENCE:g} s", hint=hint) from None


def without_castle(directory: Path) -> SpecError:
    """Why there is nothing to look at in a directory that is no castle."""
    words = f"{directory / FILE}: no such file"
    if directory.is_dir() and _holds_flux(directory):
        return SpecError(words, hint=f"This looks like a Flux repository: rebirth check --gitops {directory}")
    return SpecError(words, hint="Name a castle directory, or a Flux repository with --gitops.")


def _holds_flux(directory: Path) -> bool:
    mark = b"kustomize.toolkit.fluxcd.io"
    for number, file in enumerate(directory.rglob("*.y*ml")):
        if number > 2000:
            break
        try:
            if mark in file.read_bytes()[: 1 << 20]:
                return True
        except OSError:
            continue
    return False
