"""The folder that `init` reads: files by name, Kubernetes objects, and the line of each value."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.yaml_files import Lines, UnreadableError


class Folder:
    def __init__(self, root: Path, castle: Path) -> None:
        self.root = root.resolve()
        self.castle = castle.resolve()  # the directory in which castle.yaml will stand
        self._files = Files(self.root)
        self._lines = Lines()

    def documents(self, *names: str) -> Iterator[Manifest]:
        """The documents of all files with one of these names; what is no YAML is passed over."""
        for file in self._files.yaml_files():
            if file.name in names:
                yield from self._documents(file)

    @cached_property
    def objects(self) -> list[Manifest]:
        """Everything that looks like a Kubernetes object."""
        files = self._files.mentioning(b"apiVersion")
        found = [document for file in files for document in self._documents(file)]
        return [one for one in found if one.kind and "apiVersion" in one.data]

    def bare(self, *keys: str) -> Iterator[Manifest]:
        """Documents that have all of these keys, and are no Kubernetes objects."""
        for file in self._files.mentioning(*(f"{key}:".encode() for key in keys)):
            yield from (one for one in self._documents(file) if set(keys) <= set(one.data) and not one.kind)

    def of_kind(self, *kinds: str) -> Iterator[Manifest]:
        yield from (one for one in self.objects if one.kind in kinds)

    def _documents(self, file: Path) -> Iterator[Manifest]:
        try:
            documents = self._files.documents(file)
        except UnreadableError:
            return
        for document in documents:
            if isinstance(document.data, Mapping):
                yield Manifest(document.data, str(file), document.line)

    def texts(self, *endings: str) -> Iterator[tuple[Path, str]]:
        """The text of all files with one of these endings, those in hidden folders left out."""
        for file in self._files.below(self.root, lambda folder: folder.name.startswith(".")):
            if file.name.endswith(endings) and file.is_file():
                try:
                    yield file, file.read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError):
                    continue

    def where(self, document: Manifest, *path: str | int) -> str:
        """File and line, as it is shown from the castle directory."""
        place = document.place(*path)
        return f"{self.shown(Path(place.file))}:{self._lines.line(place)}"

    def shown(self, file: Path) -> str:
        """The path of a file from the castle directory; an absolute one where it lies elsewhere."""
        return str(file.relative_to(self.castle) if file.is_relative_to(self.castle) else file)
