"""The files of a repository, as Flux' source controller packs them: no symbolic links, nothing from outside, nothing that is ignored."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rebirth.proof.reading.kept import Kept
from rebirth.proof.reading.texts import ignored
from rebirth.proof.reading.yaml_files import Document, UnreadableError, content_of, decoded, parse
from rebirth.proof.things import Place

IGNORE = b"rebirth: ignore"  # what a comment begins with that says what not to report
SETTINGS = ".rebirth.yaml"  # at the top of a repository: what a castle.yaml says in `check`, where there is none
MOST = 200_000  # files that are looked at
_DEEPEST = 100  # folders in folders
_TEMPLATES = (".j2", ".tmpl", ".tpl", ".gotmpl", ".njk")  # how files end that another program makes YAML of
_SMALL = 64 << 10  # bytes of a file that are held until they are parsed
# What Flux does not pack (fluxcd/pkg/sourceignore): folders, and files of other tools.
_LEFT_OUT = {".git", ".github", ".circleci"}
_NOT_PACKED = {
    ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml", "cloudbuild.yaml", "codeship-services.yml", "codeship-steps.yml",
    ".goreleaser.yml", ".sops.yaml", ".flux.yaml",
}  # fmt: skip


class Files:
    """The documents of a repository's files, and what its folders hold: each read once, and as it was then."""

    def __init__(self, root: Path, kept: Kept | None = None) -> None:
        self.root = root
        self._top = str(root)
        self._inside = f"{root}/" if str(root) != "/" else "/"
        self.cut = False  # whether there were more than MOST
        self.kept = kept or Kept()
        self._read: dict[Path, list[Document] | UnreadableError] = {}
        self._digests: dict[Path, bytes] = {}
        self._contents: dict[Path, bytes] = {}  # what was read and is not parsed yet
        self._folders: dict[str, dict[str, os.DirEntry[str]]] = {}
        self._links: dict[str, str] = {}  # path -> the symbolic link on the way to it; "" where there is none
        self._digested: dict[bool, list[tuple[Path, bytes]]] = {}  # see `_known`
        self._yaml: list[Path] | None = None
        self._templates: list[Path] = []
        self._ignored: dict[str, list[ignored.Rule]] = {}  # by folder: what the files in it and above say
        self._ignored_last: list[ignored.Rule] = []  # by the source itself

    def documents(self, file: Path) -> list[Document]:
        """Raises UnreadableError."""
        if file not in self._read:
            try:
                self._read[file] = self._documents(file)
            except UnreadableError as error:
                self._read[file] = error
        found = self._read[file]
        if isinstance(found, UnreadableError):
            raise found
        return found

    def _documents(self, file: Path) -> list[Document]:
        kept = self.kept.value(self.digest(file))
        if kept is None:
            digest, content = self._opened(file)
            self._contents.pop(file, None)
            kept = _plain(content)
            self.kept.keep(digest, kept, len(content))
        if isinstance(kept, tuple):
            words, line, ours = kept
            raise UnreadableError(words, line, ours=ours)
        return [Document(data, line, doubles) for data, line, doubles in kept]

    def digest(self, file: Path) -> bytes:
        """Of the file's content. Raises UnreadableError where it cannot be read."""
        if file not in self._digests:
            try:
                self._digests[file] = self.kept.digest(str(file), lambda: self._content(file))
            except OSError as error:
                content_of(file)  # says it in our words
                raise UnreadableError(f"cannot be read: {error.strerror}") from None
        return self._digests[file]

    def _opened(self, file: Path) -> tuple[bytes, bytes]:
        """The digest of a file, and its content: whatever it was that one was told of before."""
        content = self._content(file)
        digest = hashlib.sha256(content).digest()
        if self._digests.get(file) != digest:
            self._digests[file] = digest
            self._digested.clear()
        return digest, content

    def _content(self, file: Path) -> bytes:
        """Raises UnreadableError."""
        if (held := self._contents.get(file)) is not None:
            return held
        content = content_of(file)
        if len(content) <= _SMALL:
            self._contents[file] = content
        return content

    def shown(self, path: Path) -> str:
        """The path below the root."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def target(self, folder: Path, entry: str) -> Path | None:
        """What `entry` in `folder` names, if Flux has it."""
        path = Path(os.path.normpath(f"{folder}/{entry}"))
        if not self.is_inside(path) or self._link(path):
            return None
        return path if self.is_file(path) or (self.is_folder(path) and self.left_out(path) is None) else None

    def leave_out(self, text: str, place: Place) -> None:
        """The source of the repository leaves that out: what its `ignore` says."""
        self._ignored_last = ignored.rules(text, "", place)

    def left_out(self, path: Path) -> Place | None:
        """The line by which a file, or all that a folder holds, is no part of the artifact."""
        text = str(path)
        if not text.startswith(self._inside):
            return None
        shown = text.removeprefix(self._inside)
        rules = self._rules(shown.rpartition("/")[0])
        if not rules and not self._ignored_last:
            return None
        rules = [*rules, *self._ignored_last]
        return ignored.emptied(shown, rules) if self.is_folder(path) else ignored.left_out(shown, rules)

    def _rules(self, folder: str) -> list[ignored.Rule]:
        """Of the files in a folder and in those above, from the top down."""
        if (found := self._ignored.get(folder)) is None:
            above = self._rules(folder.rpartition("/")[0]) if folder else []
            there = f"{self._inside}{folder}".rstrip("/")
            own = []
            if ignored.NAME in self._holding(there):
                file = Path(there, ignored.NAME)
                text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
                own = ignored.rules(text, folder, Place(str(file)), by_line=True)
            self._ignored[folder] = found = [*above, *own]
        return found

    def is_file(self, path: Path) -> bool:
        found = self._entry(path)
        return found is not None and found.is_file() and self.left_out(path) is None

    def is_folder(self, path: Path) -> bool:
        found = self._entry(path)
        return path.is_dir() if found is None and path == self.root else found is not None and found.is_dir()

    def _entry(self, path: Path) -> "os.DirEntry[str] | None":
        folder, _, name = str(path).rpartition("/")
        return self._holding(folder or "/").get(name)

    def _holding(self, folder: str) -> "dict[str, os.DirEntry[str]]":
        """What a folder holds, in the order of names."""
        if (found := self._folders.get(folder)) is None:
            try:
                with os.scandir(folder) as entries:
                    found = {entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name)}
            except OSError:
                found = {}
            self._folders[folder] = found
        return found

    def is_inside(self, path: Path) -> bool:
        text = str(path)
        return text.startswith(self._inside) or text == self._top

    def resolved(self, path: Path) -> Path:
        """The path without symbolic links; asks nothing again where none is on the way to it."""
        return path if self.is_inside(path) and not self._link(path) else path.resolve()

    def why_missing(self, folder: Path, entry: str) -> str:
        path = Path(os.path.normpath(folder / entry))
        if not self.is_inside(path):
            return f"{entry} leads out of the repository"
        if link := self._link(path):
            return f"{self.shown(Path(link))} is a symbolic link, which Flux does not pack"
        if by := self.left_out(path):
            return f"{entry} is left out of the artifact by {self._told(by)}"
        if os.path.exists(path):  # noqa: PTH110 - a name may be too long
            return f"{entry} is a FIFO, a device or a socket, not a file"
        if " " in entry.strip() or "\n" in entry.strip():
            return f"{entry} does not exist: two entries on one line?"
        return f"{entry} does not exist"

    def lacks(self, folder: Path) -> str:
        """Why it is no folder of the artifact; "" where it is one."""
        if self.is_folder(folder):
            by = self.left_out(folder)
            return f"is left out of the artifact by {self._told(by)}" if by else ""
        return "is a file, not a folder" if os.path.isfile(folder) else "does not exist"  # noqa: PTH113 - a name may be too long

    def _told(self, by: Place) -> str:
        shown = self.shown(Path(by.file))
        return f"{'.'.join(map(str, by.path))} in {shown}" if by.path else f"{shown}:{by.line}"

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

    def _link(self, path: Path) -> str:
        """The symbolic link on the way to a path inside the root; "" where there is none."""
        return self._linked(str(path))

    def _linked(self, path: str) -> str:
        if not path.startswith(self._inside):
            return ""  # the root itself
        if (found := self._links.get(path)) is None:
            folder, _, name = path.rpartition("/")
            entry = self._holding(folder or "/").get(name)
            self._links[path] = found = path if entry is not None and entry.is_symlink() else self._linked(folder)
        return found

    def below(
        self, folder: Path, stop: Callable[[Path], bool] = lambda _: False, depth: int = _DEEPEST
    ) -> Iterator[Path]:
        """Everything below a folder, in the order of names; a folder for which `stop` is true instead of what it holds."""
        for entry in self._holding(str(folder)).values() if depth else ():
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
            elif entry.is_file() and entry.name not in _NOT_PACKED and self.left_out(path) is None:
                yield path

    def walk(self, enter: Callable[[str], bool]) -> Iterator[tuple[str, list[str]]]:
        """Every folder, from the root down and in the order of names, with the names of the files in it.

        `enter` says which names of folders are looked into; links to folders are not.
        """
        pending = [self._top]
        while pending:
            folder = pending.pop()
            entries = self._holding(folder)
            yield folder, [name for name, entry in entries.items() if not _is_folder(entry)]
            inner = [e.path for e in entries.values() if e.is_dir(follow_symlinks=False) and enter(e.name)]
            pending += reversed(inner)

    def yaml_files(self) -> list[Path]:
        """Every YAML file below the root, in order; hidden folders are left out."""
        if self._yaml is None:
            self._yaml = list(self._find())
        return self._yaml

    def _find(self) -> Iterator[Path]:
        seen = 0
        pending = [str(self.root)]
        while pending:
            folder = pending.pop()
            within = []
            for name, entry in self._holding(folder).items():
                if entry.is_dir(follow_symlinks=False):
                    if not name.startswith("."):
                        within.append(entry.path)
                    continue
                seen += 1
                if seen > MOST:
                    self.cut = True
                    return
                if name.endswith((".yaml", ".yml")) and not entry.is_symlink():
                    yield Path(entry.path)
                elif name.endswith(_TEMPLATES) and not entry.is_symlink():
                    self._templates.append(Path(entry.path))
            pending += reversed(within)

    def mentioning(self, *words: bytes, templates: bool = False) -> Iterator[Path]:
        """The YAML files, and if asked for the templates of such, in which one of those words stands."""
        said = self.kept.said.setdefault(words, {})
        for file, known in self._known(templates=templates):
            digest = known
            if digest not in said:
                try:
                    digest, content = self._opened(file)
                except UnreadableError:
                    continue
                said[digest] = any(word in content for word in words)
            if said[digest]:
                yield file

    def silent(self, word: bytes) -> frozenset[str]:
        """The YAML files in which a word does not stand."""
        there = {*self.mentioning(word)}
        return frozenset(str(file) for file, _ in self._known(templates=False) if file not in there)

    def _known(self, *, templates: bool) -> list[tuple[Path, bytes]]:
        """The YAML files that can be read, and if asked for the templates of such, each with its digest."""
        if templates not in self._digested:
            found = []
            for file in [*self.yaml_files(), *(self._templates if templates else ())]:
                with suppress(UnreadableError):
                    found.append((file, self.digest(file)))
            self._digested[templates] = found
        return self._digested[templates]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Links followed; one that leads to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_near(file: Path, cluster: str, others: Iterable[str]) -> bool:
    """Whether a file, named from the top of the repository, lies at least as near to this cluster's folder as to those of others."""

    def steps(folder: str) -> int:
        return len(Path(os.path.commonpath([file, folder])).parts)

    return all(steps(other) <= steps(cluster) for other in others)


def between(folders: set[Path]) -> set[Path]:
    """The folders, and those that lie between one of them and another one above it."""
    found = set(folders)
    for folder in folders:
        way: list[Path] = []
        for above in folder.parents:
            if above in folders:
                found.update(way)
                break
            way.append(above)
    return found


def _plain(content: bytes) -> list[tuple[Any, int, tuple[tuple[str, int], ...]]] | tuple[str, int, bool]:
    """The documents in a content as they are kept; what is wrong with it where it cannot be read."""
    try:
        return [(document.data, document.line, document.doubles) for document in parse(decoded(content))]
    except UnreadableError as error:
        return error.words, error.line, error.ours
