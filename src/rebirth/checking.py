"""What check, plan and explain share: which bootstrap is meant, its proof, and how it is told."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rebirth.errors import SpecError
from rebirth.findings.places import Places
from rebirth.findings.verdict import Verdict, weigh
from rebirth.proof import Proof, prove
from rebirth.repository import Repository, repository_of, without_castle
from rebirth.spec import Castle, load
from rebirth.spec.load import FILE

STYLES = ("text", "json", "sarif", "github")
_PIPED = 100  # columns where nobody says how wide it is
_WIDEST = 130


@dataclass(frozen=True)
class Asked:
    """A castle directory, or a repository alone, or a castle with the repository that it is to be proved with."""

    directory: Path | None
    gitops: Path | None = None
    clusters: Sequence[str] = ()

    @property
    def castle_directory(self) -> Path | None:
        """None: the repository alone is meant."""
        return self.directory or (None if self.gitops else Path())


@dataclass(frozen=True)
class Proved:
    proof: Proof
    places: Places
    castle: Castle | None
    repository: Repository
    directory: Path | None = field(default=None)


@asynccontextmanager
async def proved(asked: Asked) -> AsyncIterator[Proved]:
    """The proof of what was asked; the repository's files are there as long as it is open."""
    directory = asked.castle_directory
    if directory is None:
        repository = Repository((asked.gitops or Path()).resolve())
        yield Proved(await prove(repository.root, clusters=asked.clusters), Places(), None, repository)
        return
    if not (directory / FILE).exists():
        raise without_castle(directory)
    castle = load(directory)
    async with repository_of(directory, castle, asked.gitops) as repository:
        if not (repository.root / castle.gitops.path).is_dir() and not asked.clusters:
            where = repository.fetched or str(repository.root)
            raise SpecError(f"{where} has no folder {castle.gitops.path}", hint="Is gitops.path right?")
        proof = await prove(repository.root, clusters=asked.clusters, castle=castle, directory=directory)
        yield Proved(proof, Places(repository.root if repository.fetched else None), castle, repository, directory)


def check(asked: Asked, *, style: str, verbose: bool, strict: bool) -> int:
    """Proves, tells what was found on standard output, and returns the exit code."""
    if style not in STYLES:
        raise SpecError(f"--format: {style} is none of {', '.join(STYLES)}")

    async def run() -> Verdict:
        async with proved(asked) as done:
            verdict = weigh(done.proof, done.places)
            write(told(verdict, done.places, style, verbose=verbose))
            return verdict

    verdict = asyncio.run(run())
    return 3 if verdict.impossible or (strict and any(f.severity == "warning" for f in verdict.findings)) else 0


def told(verdict: Verdict, places: Places, style: str = "text", *, verbose: bool = False) -> str:
    """The verdict in that form."""
    if style == "json":
        from rebirth.findings import data

        return data.render(verdict, places)
    if style == "sarif":
        from rebirth.findings import sarif

        return sarif.render(verdict, places)
    if style == "github":
        from rebirth.findings import github

        return github.render(verdict, places)
    from rebirth.findings.text import Text

    return Text(places, width=width(), colours=colours()).render(verdict, verbose=verbose)


def show_page(rule: str) -> None:
    """The page of a rule, for the terminal."""
    from rebirth.findings.pages import page_of

    write(page_of(rule).text())


def write(words: str) -> None:
    """To standard output; who has closed it wants no more (`| head`)."""
    try:
        sys.stdout.write(words)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def width() -> int:
    return min(shutil.get_terminal_size((_PIPED, 24)).columns, _WIDEST)


def colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
