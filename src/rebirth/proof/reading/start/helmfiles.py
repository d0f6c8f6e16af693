"""Which helmfiles of a repository are run before Flux: those that its own bootstrap names, those
in a folder `bootstrap`, and those that `.rebirth.yaml` names.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from rebirth.proof.reading.repository_files import SETTINGS, Files
from rebirth.proof.reading.start.folders import is_for_bootstrap
from rebirth.proof.reading.start.scripts import Line
from rebirth.proof.reading.yaml_files import Document, UnreadableError, parse, read, text_of
from rebirth.proof.things import Place

_MOST = 200  # files
_LEFT_OUT = {"node_modules", "templates", "charts"}
_ALONE = re.compile(r"(?:\n|\A)\s*\{\{(?:[^}]|\}(?!\}))*\}\}[ \t]*(?=\n)")  # a template that has lines for itself
_TEMPLATE = re.compile(r"\{\{(?:[^}]|\}(?!\}))*\}\}")
_TEXT = re.compile(r'"([\w.-]+)"')
UNKNOWN = "templated"  # stands where a template stood
_BARE = re.compile(r"\bhelmfile\s+(?!.*(?:-f|--file)[\s=])(?:.*\s)?(?:apply|sync|template)\b")
_RELATIVE = re.compile(r"(?<![\w./-])\.{1,2}/[^\s\"'|;)]+")
_INSTALLS = re.compile(r"\b(apply|sync)\b")


class Run(NamedTuple):
    place: Place  # the line that runs it
    only_crds: bool = False  # it is rendered, and only its CRDs are applied


def find(files: Files) -> list[Path]:
    """Files that may be helmfiles, by their names."""
    return list(islice(_find(files), _MOST))


def _find(files: Files) -> Iterator[Path]:
    for folder, names in files.walk(lambda name: not name.startswith(".") and name not in _LEFT_OUT):
        beside = "helmfile" in folder.rpartition("/")[2]
        for name in names:
            if (beside or name.startswith("helmfile") or ".helmfile." in name) and re.search(
                r"\.ya?ml(\.gotmpl)?$", name
            ):
                yield Path(folder) / name


def runs(root: Path, files: Sequence[Path], said: Sequence[Line]) -> dict[Path, Run]:
    """Those that are run, with who says so. Raises SpecError where .rebirth.yaml cannot be used."""
    found = dict(_declared(root))
    alone = [file for file in files if file.name.startswith("helmfile")]
    for file in files:
        naming = [line for line in said if _names(line, file, only=alone == [file])]
        if naming and file not in found:
            installs = any(_INSTALLS.search(line.text.split("kubectl")[0]) for line in naming)
            rendered = any(re.search(r"\btemplate\b", line.text) for line in naming) or _is_of_crds(file)
            found[file] = Run(naming[0].place, only_crds=rendered and not installs)
        elif file not in found and is_for_bootstrap(file, root):
            found[file] = Run(Place(str(file)), only_crds=_is_of_crds(file))
    pending = [*found]
    while pending:
        file = pending.pop()
        for inner in _included(file):
            if inner in files and inner not in found:
                found[inner] = found[file]
                pending.append(inner)
    return found


def _is_of_crds(file: Path) -> bool:
    return "crd" in file.name or file.parent.name == "crds"


def _declared(root: Path) -> Iterator[tuple[Path, Run]]:
    own = root / SETTINGS
    if own.is_file():
        from rebirth.castle import RepositoryFile, load_model

        for number, entry in enumerate(load_model(own, RepositoryFile).bootstrap):
            yield (root / entry).resolve(), Run(Place(str(own), 1, ("bootstrap", number)))


def _names(line: Line, file: Path, *, only: bool) -> bool:
    """Whether a line runs that helmfile; `only`: the repository has no other."""
    there, text = Path(line.place.file).parent, line.text
    if there == file.parent and _BARE.search(text) and file.name.startswith("helmfile"):
        return True
    if only and _BARE.search(text):
        return True
    if file.parent.name == "helmfile.d" and re.search(r"helmfile\.d/?(?![\w./])", text):
        return True
    if re.search(rf"(?<![\w.-]){re.escape(file.parent.name)}/{re.escape(file.name)}(?![\w.-])", text):
        return True
    alike = re.search(rf"(?<![\w.-]){re.escape(file.name)}(?![\w.-])", text)
    return bool(alike) and "helmfile" in text and (only or there == file.parent)


def documents(file: Path) -> list[Document]:
    """The documents of a helmfile; what stands in templates is not known, what stands beside them is."""
    try:
        return read(file)
    except UnreadableError:
        pass
    try:
        return parse(_TEMPLATE.sub(UNKNOWN, _ALONE.sub("\n", text_of(file))))
    except UnreadableError:
        return []  # a template through and through: what it installs cannot be told


def in_templates(file: Path) -> frozenset[str]:
    """The texts in quotes that stand in the templates of a helmfile."""
    return frozenset(text for template in _TEMPLATE.findall(text_of(file)) for text in _TEXT.findall(template))


def hooks(root: Path, file: Path) -> Iterator[Line]:
    """The commands that helmfile runs beside its releases, seen from the top of the repository."""
    for document in documents(file):
        data: Mapping[str, Any] = document.data if isinstance(document.data, Mapping) else {}
        releases = data.get("releases")
        for at, entry in ((), data), *((("releases", n), one) for n, one in enumerate(_list(releases))):
            for number, hook in enumerate(_list(entry.get("hooks")) if isinstance(entry, Mapping) else ()):
                if isinstance(hook, Mapping):
                    words = [
                        str(hook.get("command") or ""),
                        *(_seen(root, file, str(one)) for one in _list(hook.get("args"))),
                    ]
                    yield Line(" ".join(words), Place(str(file), document.line, (*at, "hooks", number)))


def _seen(root: Path, file: Path, word: str) -> str:
    """The paths from the helmfile's folder, in which its commands run, as ones from the top."""

    def from_the_top(found: re.Match[str]) -> str:
        path = Path(os.path.normpath(file.parent / found[0]))
        return str(path.relative_to(root)) if path.is_relative_to(root) else found[0]

    return _RELATIVE.sub(from_the_top, word)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _included(file: Path) -> Iterator[Path]:
    for document in documents(file):
        entries: Any = document.data.get("helmfiles") if isinstance(document.data, Mapping) else None
        for entry in entries if isinstance(entries, list) else ():
            path = entry.get("path") if isinstance(entry, Mapping) else entry
            if isinstance(path, str):
                yield Path(os.path.normpath(file.parent / path))


def shown(root: Path, file: Path, run: Run) -> str:
    """Why what such a helmfile installs is taken as there."""
    place = run.place
    line = f":{place.line}" if place.line and not place.path else ""
    does = "places its CRDs" if run.only_crds else "installs it"
    if place.file == str(file):
        return f"{file.relative_to(root)} {does} before Flux: it lies in a folder bootstrap"
    return f"{file.relative_to(root)} {does} before Flux, says {Path(place.file).relative_to(root)}{line}"


def left(files: Collection[Path], run: Collection[Path]) -> list[Path]:
    """Helmfiles that install something, and that nothing names."""
    return [file for file in files if file not in run and _installs(file)]


def _installs(file: Path) -> bool:
    return any(isinstance(one.data, Mapping) and bool(one.data.get("releases")) for one in documents(file))
