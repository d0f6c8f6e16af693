"""How places are shown: files as seen from the working directory, and the line that a path stands on."""

import os
from pathlib import Path

import rebirth
from rebirth.proof.reading.yaml_files import Lines
from rebirth.proof.things import Place

_OURS = Path(rebirth.__file__).parents[1]  # phases are places, too
_FAR = "../../../"  # from here on the whole path reads better


class Places:
    """`root` is the repository where it was fetched into a temporary folder: its files are shown from there."""

    def __init__(self, root: Path | None = None, here: Path | None = None) -> None:
        self._root, self._here = root, here or Path.cwd()
        self._lines = Lines()

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

    def line(self, place: Place) -> int:
        """1-based; 0 where the whole file is meant."""
        return self._lines.line(place) if place.file else 0

    def text(self, place: Place) -> str:
        """file:line."""
        line = self.line(place)
        return f"{self.file(place)}:{line}" if line else self.file(place)
