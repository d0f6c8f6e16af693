"""A tree as it was at a revision of Git, in a temporary folder. Nothing is written into the repository."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import SpecError
from rebirth.secrets import Redaction

_SHORT = 9  # digits of a commit that are shown
_SUBMODULE = "160000"  # mode of an entry that is another repository's commit


@dataclass(frozen=True)
class Revision:
    """The tree of a commit."""

    commit: str  # short
    top: Path  # of the checkout, as it is now
    folder: Path  # the same, as it was

    def then(self, path: Path) -> Path:
        """Where a path of today was then: the path itself where it is in no such checkout."""
        found = path.resolve()
        return self.folder / found.relative_to(self.top) if found.is_relative_to(self.top) else path


@asynccontextmanager
async def at(revision: str, top: Path) -> AsyncIterator[Revision]:
    """The checkout in `top` as it was at `revision`; gone when it is left.

    Raises SpecError where there is no checkout, or no such revision.
    """
    if not (top / ".git").exists():
        raise SpecError(f"--since: {top} is in no checkout of Git", hint="Its revisions are what is compared with.")
    commands = Commands(Redaction())
    asked = ("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    try:
        commit = (await _git(commands, top, *asked)).strip()
    except SpecError:
        hint = "A shallow checkout has one commit alone: fetch the other, or all (actions/checkout: `fetch-depth: 0`)."
        raise SpecError(f"--since: {top} has no revision {revision}", hint=hint) from None
    with TemporaryDirectory(prefix="rebirth-since-") as scratch:
        folder = Path(scratch).resolve() / "tree"
        folder.mkdir()
        (folder / ".git").mkdir()  # by which the top of a checkout is known
        await _write(commands, top, commit, folder)
        yield Revision(commit[:_SHORT], top, folder)


async def _write(commands: Commands, top: Path, commit: str, folder: Path) -> None:
    """The files of a commit, as a checkout has them: not by `git archive`, which leaves out what is marked export-ignore.

    An index of its own keeps the repository as it is. Files in Git LFS stay pointers: nothing is fetched.
    """
    with TemporaryDirectory(prefix="rebirth-since-") as scratch:
        own = {"GIT_INDEX_FILE": str(Path(scratch).resolve() / "index"), "GIT_LFS_SKIP_SMUDGE": "1"}
        await _git(commands, top, "read-tree", commit, env=own)
        await _git(commands, top, "checkout-index", "--all", "--force", "--quiet", f"--prefix={folder}/", env=own)
        entries = (await _git(commands, top, "ls-files", "--stage", "-z", env=own)).split("\0")
    for entry in entries:
        mode, _, rest = entry.partition(" ")
        if mode == _SUBMODULE:
            pinned, path = rest.split()[0], rest.partition("\t")[2]
            if (top / path / ".git").exists():
                with suppress(SpecError):  # this machine does not have that commit of it: the folder stays empty
                    await _write(commands, top / path, pinned, folder / path)


async def _git(commands: Commands, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    """Names the repository: in a hook of Git the environment may name another."""
    command = ["git", "-C", str(folder), f"--git-dir={folder / '.git'}", f"--work-tree={folder}", *arguments]
    try:
        return await commands.run(command, operation=arguments[0], env=env)
    except ProgramFailed as error:
        raise SpecError(f"--since: {folder}: git {arguments[0]}: {error.said}") from None
