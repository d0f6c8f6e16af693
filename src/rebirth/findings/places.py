"""How places are shown: files as seen from the working directory, and the line that a path stands on."""

import os
from pathlib import Path

import rebirth
from rebirth.proof.reading.yaml_files import Lines
from rebirth.proof.things import Place

_OURS = Path(rebirth.__file__).parents[1]  # phases are places, too
_FAR = "../../../"  # from here on the whole path reads better


class Places:
    """`root` is the repository where it was fetched into a temporary folder: its files are shown from there.

    `asked` is the folder that is looked at: the repository's top for who asks where no git knows of one.
    """

    def __init__(self, root: Path | None = None, here: Path | None = None, asked: Path | None = None) -> None:
        self._root, self._here, self._asked = root, here or Path.cwd(), asked
        self._lines = Lines()
        self._tops: dict[Path, Path | None] = {}

    def file(self, place: Place) -> str:
        """The file as it is shown; "" where nobody wrote it."""
        if not place.file:
            return ""
        file = Path(place.file)
        for base in filter(None, (self._root, self._here)):
            if file.is_relative_to(base):
                return str(file.relative_to(base))
        if file.is_relative_to(_OURS):
            return str(file.relative_to(_OURS))
        near = os.path.relpath(file, self._here)
        return str(file) if near.startswith(_FAR) else near

    def in_repository(self, place: Place) -> str:
        """The file below the top of its repository, with slashes: how GitHub and `git apply` name it; as it is shown where
        it is in no repository.
        """
        if not place.file:
            return ""
        file = Path(place.file)
        fetched = self._root if self._root and file.is_relative_to(self._root) else None
        top = fetched or self._top(file.parent) or self._asked
        return file.relative_to(top).as_posix() if top and file.is_relative_to(top) else self.file(place)

    def _top(self, folder: Path) -> Path | None:
        """The top of the git checkout that holds the folder."""
        if folder not in self._tops:
            self._tops[folder] = next((up for up in (folder, *folder.parents) if (up / ".git").exists()), None)
        return self._tops[folder]

    def line(self, place: Place) -> int:
        """1-based; 0 where the whole file is meant."""
        return self._lines.line(place) if place.file else 0

    def text(self, place: Place) -> str:
        """file:line."""
        line = self.line(place)
        return f"{self.file(place)}:{line}" if line else self.file(place)
