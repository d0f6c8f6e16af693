"""Folders as people have them, and `init` on them."""

import textwrap
from pathlib import Path

import pytest

from rebirth.init.folder import Folder
from rebirth.init.found import Found
from rebirth.init.starting import Started, start


class Ground:
    """A folder to write files into, and to begin a castle in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []

    def write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"))
        return file

    def read(self, reader) -> Found:
        """What one reader finds."""
        found = Found()
        reader(Folder(self.folder, self.folder), found)
        return found

    def start(self, *answers: str, **replies: str) -> Started:
        """`init`, with replies to its questions by path, whose dots are written as __."""

        def ask(question) -> str:
            self.asked.append(question.path)
            reply = replies.get(question.path.replace(".", "__"), "")
            return "" if question.wrong else reply

        return start(self.folder, [], answers, ask)

    @property
    def castle(self) -> str:
        return (self.folder / "castle.yaml").read_text()


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    (tmp_path / "home").mkdir()
    return Ground(tmp_path / "home")


def said(found: Found) -> dict[str, tuple[object, str]]:
    """Path -> value and where it was found."""
    return {".".join(path): (value.value, value.where) for path, value in found.values.items()}
