"""Which files a proof is of, on this machine."""

from dataclasses import dataclass
from pathlib import Path

from rebirth.castle import load
from rebirth.castle.load import FILE
from rebirth.checking import Asked
from rebirth.errors import SpecError
from rebirth.paths import paths_of
from rebirth.repository import local, without_castle


@dataclass(frozen=True)
class Tree:
    root: Path  # of the repository
    castle: Path | None  # the castle directory
    logs: Path | None  # of the castle's runs

    @property
    def top(self) -> Path:
        """Of the checkout that holds the repository; the repository itself where it is in none."""
        return next((up for up in (self.root, *self.root.parents) if (up / ".git").exists()), self.root)


def tree_of(asked: Asked, option: str) -> Tree:
    """Raises SpecError where the repository is not on this machine, for which `option` asks."""
    directory = asked.castle_directory
    if directory is None:
        return Tree((asked.gitops or Path()).resolve(), None, None)
    if not (directory / FILE).exists():
        raise without_castle(directory)
    castle = load(directory)
    root = asked.gitops or local(directory, castle)
    if root is None:
        hint = "Name a checkout of it with --gitops."
        raise SpecError(f"{option} needs the castle's repository on this machine", hint=hint)
    return Tree(root.resolve(), directory.resolve(), paths_of(directory, castle.secrets).logs)
