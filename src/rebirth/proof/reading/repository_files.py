"""The files of a repository, as Flux' source controller packs them: no symbolic links, nothing from outside."""

import os
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path

from rebirth.proof.reading.yaml_files import LARGEST, Document, UnreadableError, read

MOST = 200_000  # files that are looked at
_DEEPEST = 100  # folders in folders
_TEMPLATES = (".j2", ".tmpl", ".tpl", ".gotmpl", ".njk")  # how files end that another program makes YAML of
_LEFT_OUT = {".git", ".github", ".circleci"}  # folders that Flux does not pack


class Files:
    """The documents of a repository's files, each read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cut = False  # whether there were more than MOST
        self._read: dict[Path, list[Document] | UnreadableError] = {}
        self._yaml: list[Path] | None = None
        self._templates: list[Path] = []

    def documents(self, file: Path) -> list[Document]:
        """Raises UnreadableError."""
        if file not in self._read:
            try:
                self._read[file] = read(file)
            except UnreadableError as error:
                self._read[file] = error
        found = self._read[file]
        if isinstance(found, UnreadableError):
            raise found
        return found

    def shown(self, path: Path) -> str:
        """The path below the root."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def target(self, folder: Path, entry: str) -> Path | None:
        """What `entry` in `folder` names, if Flux has it."""
        path = Path(os.path.normpath(folder / entry))
        there = self.is_inside(path) and not self._link(path) and (path.is_file() or path.is_dir())
        return path if there else None

    def is_inside(self, path: Path) -> bool:
        return path == self.root or self.root in path.parents

    def why_missing(self, folder: Path, entry: str) -> str:
        path = Path(os.path.normpath(folder / entry))
        if not self.is_inside(path):
            return f"{entry} leads out of the repository"
        if link := self._link(path):
            return f"{self.shown(link)} is a symbolic link, which Flux does not pack"
        if path.exists():
            return f"{entry} is a FIFO, a device or a socket, not a file"
        if " " in entry.strip() or "\n" in entry.strip():
            return f"{entry} does not exist: two entries on one line?"
        return f"{entry} does not exist"

    def near(self, folder: Path) -> str:
        """A folder of almost that path, below the root; "" where there is none."""
        there = next(up for up in folder.parents if up.is_dir())
        missing, *rest = folder.relative_to(there).parts
        try:
            names = [entry.name for entry in os.scandir(there) if entry.is_dir() and not entry.is_symlink()]
        except OSError:
            return ""
        for name in get_close_matches(missing, sorted(names), 3):
            if (found := there.joinpath(name, *rest)).is_dir() and self.is_inside(found):
                return self.shown(found)
        return ""

    def _link(self, path: Path) -> Path | None:
        """The symbolic link on the way to a path inside the root."""
        for part in (path, *path.parents):
            if part == self.root:
                return None
            if part.is_symlink():
                return part
        return None

    def below(
        self, folder: Path, stop: Callable[[Path], bool] = lambda _: False, depth: int = _DEEPEST
    ) -> Iterator[Path]:
        """Everything below a folder, in the order of names; a folder for which `stop` is true instead of what it holds."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name) if depth else []
        except OSError:
            return
        for entry in entries:
            path = Path(entry.path)
            if entry.is_symlink():
                continue
            if entry.is_dir():
                if entry.name in _LEFT_OUT:
                    continue
                if stop(path):
                    yield path
                else:
                    yield from self.below(path, stop, depth - 1)
            elif entry.is_file():
                yield path

    def yaml_files(self) -> list[Path]:
        """Every YAML file below the root, in order; hidden folders are left out."""
        if self._yaml is None:
            self._yaml = list(self._find())
        return self._yaml

    def _find(self) -> Iterator[Path]:
        seen = 0
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                seen += 1
                if seen > MOST:
                    self.cut = True
                    return
                path = Path(folder, name)
                if name.endswith((".yaml", ".yml")) and not path.is_symlink():
                    yield path
                elif name.endswith(_TEMPLATES) and not path.is_symlink():
                    self._templates.append(path)

    def mentioning(self, *words: bytes, templates: bool = False) -> Iterator[Path]:
        """The YAML files, and if asked for the templates of such, in which one of those words stands."""
        for file in [*self.yaml_files(), *(self._templates if templates else ())]:
            try:
                if not file.is_file() or file.stat().st_size > LARGEST:
                    continue
                text = file.read_bytes()
            except OSError:
                continue
            if any(word in text for word in words):
                yield file


def is_out(listing: Path, file: Path) -> bool:
    """Whether a kustomization names the file in a comment: it was left out on purpose."""
    lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(file.name in line for line in lines if line.lstrip().startswith("#"))
