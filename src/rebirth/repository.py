"""Where the files of a GitOps repository are: on this machine, or fetched."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rebirth.errors import NotYet, SpecError
from rebirth.paths import paths_of

if TYPE_CHECKING:
    from rebirth.castle import Castle

PATIENCE = 30.0  # seconds for a fetch
BESIDE = "gitops"  # the repository's folder beside castle.yaml, where the two live together


@dataclass(frozen=True)
class Repository:
    root: Path
    fetched: str = ""  # from where, if it lies in a temporary folder


def local(directory: Path, castle: "Castle") -> Path | None:
    """The castle's repository where this machine has it; None where it has to be fetched.

    In a lab it is the folder that the lab serves. Else it is the folder `gitops` beside castle.yaml, the castle directory
    itself, or the git checkout that it lies in: the first that has the folder `gitops.path`.
    """
    if served := paths_of(directory, castle.secrets).repository:
        return served
    beside = directory.resolve() / BESIDE
    for folder in (beside, directory.resolve(), _checkout(directory.resolve())):
        if folder and (folder / castle.gitops.path).is_dir():
            return folder
    return beside if beside.is_dir() else None  # it is meant, and `gitops.path` is wrong: that is reported


def _checkout(directory: Path) -> Path | None:
    return next((folder for folder in (directory, *directory.parents) if (folder / ".git").exists()), None)


@asynccontextmanager
async def repository_of(directory: Path, castle: "Castle", gitops: Path | None = None) -> AsyncIterator[Repository]:
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


async def _fetch(directory: Path, castle: "Castle", folder: Path) -> None:
    from rebirth.commands import Commands
    from rebirth.phases.connections import git_remote
    from rebirth.phases.resolve_secrets import resolve
    from rebirth.run.facts import SecretsResolved
    from rebirth.secrets import Redaction

    redaction = Redaction()
    gitops = castle.gitops
    paths = paths_of(directory, castle.secrets)
    secrets = SecretsResolved({one.secret: resolve(one, paths, redaction) for one in gitops.credentials})
    remote = git_remote(gitops, paths, secrets, Commands(redaction))
    try:
        async with asyncio.timeout(PATIENCE):
            await remote.fetch(folder)
    except TimeoutError:
        hint = "`check --gitops` takes a local copy; `create --unproved` continues without the proof."
        raise NotYet(f"{gitops.repository}: no answer in {PATIENCE:g} s", hint=hint) from None


def without_castle(directory: Path) -> SpecError:
    """Why there is nothing to look at in a directory that is no castle."""
    from rebirth.castle.load import FILE

    words = f"{directory / FILE}: no such file"
    if directory.is_dir() and _holds_flux(directory):
        return SpecError(words, hint=f"This looks like a Flux repository: rebirth check --gitops {directory}")
    return SpecError(words, hint="Name a castle directory, or a Flux repository with --gitops.")


_FLUX = re.compile(rb"^apiVersion:\s*['\"]?kustomize\.toolkit\.fluxcd\.io/", re.MULTILINE)
_LEVELS = ("*.y*ml", "*/*.y*ml", "*/*/*.y*ml")  # deeper it is somebody else's
_MOST = 2000  # files that are looked at


def _holds_flux(directory: Path) -> bool:
    """Whether an object of Flux stands in the folder, or at most two levels below."""
    files = itertools.chain.from_iterable(directory.glob(pattern) for pattern in _LEVELS)
    for file in itertools.islice(files, _MOST):
        try:
            if file.is_file() and _FLUX.search(file.read_bytes()[: 1 << 20]):
                return True
        except OSError:
            continue
    return False
