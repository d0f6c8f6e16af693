"""What a repository says of the time before Flux: lines of its task files and scripts, and commands in its documents."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rebirth.proof.reading.repository_files import Files
from rebirth.proof.things import Extent, Place, Unknown
from rebirth.proof.words import pieces

_MOST = 400  # files
_LARGEST = 256 << 10  # bytes
_LEFT_OUT = {".git", ".github", ".venv", "node_modules", "vendor", "archive", "archived"}
_TASKS = re.compile(
    r"\.?justfile|(gnu)?makefile|taskfile.*|.*\.(just|mk|sh|bash|zsh|fish|ps1|py|tf|tofu)|\.?mise\.toml"
    r"|.*(bootstrap|kube|k[38]s|flux|helm).*\.nix",
    re.IGNORECASE,
)
_BESIDE = {
    ".taskfiles",
    "taskfiles",
    "tasks",
    "ansible",
    "playbooks",
    "roles",
}  # folders whose YAML files are tasks, too
_SAYS = re.compile(r"helmfile|kubectl|\$[({]?K(?:C|UBECTL)\b|kustomize|\bhelm\b|helm_release|\bchart|https?://|oci://")
_COMMAND = re.compile(
    r"^(\s*\d+[.)])?[\s$>`*-]*(sudo )?((helmfile|kubectl|helm|just|task|make|flux)\s|(sops|kustomize|envsubst|cat)\s.*\|\s*kubectl\s)"
)
_CREATES = re.compile(
    r"kubectl\b.*\bcreate\s+(?:secret\s+(?:generic|tls|docker-registry)|configmap|namespace|ns|cm)\s+[\"']?([\w.-]+)"
)

# A path that a file gives a name, and how a task or a shell then uses that name.
_PATH = re.compile(
    r"""^\s*(?:export\s+|readonly\s+|local\s+)?(\w+)\s*[:?]{0,2}[=:]\s*["']?([^"'\s]*/[^"'\s]+)["']?\s*$""",
    re.MULTILINE,
)
_SPACE = re.compile(
    r"""^\s*(?:export\s+|readonly\s+|local\s+)?(\w*(?:NAMESPACE|namespace|_NS|NS))\s*[:?]{0,2}=\s*["']?(?:\$\{\w+:-)?([a-z0-9][a-z0-9-]*)\}?["']?\s*$""",
    re.MULTILINE,
)
_TASKFILE = re.compile(r"taskfile.*\.ya?ml", re.IGNORECASE)
_USED = re.compile(r"\{\{\s*\.?(\w+)\s*\}\}|\$[{(](\w+)[)}]|\$(\w+)")


class Line(NamedTuple):
    text: str
    place: Place


def lines(files: Files) -> tuple[Line, ...]:
    """Whatever speaks of helm, kubectl or an address, in the order of files."""
    found = [*_files(files)]
    # Task files take in each other, with what they name.
    shared = {
        name: path for file in found if _TASKFILE.fullmatch(file.name) for name, path in _named(text_of(file)).items()
    }
    return tuple(line for file in found for line in _lines(file, shared))


def _named(text: str) -> dict[str, str]:
    """The paths and namespaces that a script gives a name."""
    return {**dict(_SPACE.findall(text)), **dict(_PATH.findall(text))}


def _files(files: Files) -> Iterator[Path]:
    count, top = 0, str(files.root)
    for folder, names in files.walk(lambda name: name not in _LEFT_OUT):
        beside = not _BESIDE.isdisjoint(folder.removeprefix(top).split("/"))
        for name in names:
            if _TASKS.fullmatch(name) or name.endswith(".md") or (beside and name.endswith((".yaml", ".yml"))):
                count += 1
                if count > _MOST:
                    return
                yield Path(folder, name)


def text_of(file: Path) -> str:
    """Nothing of what cannot be read, or is too large for something that a person wrote."""
    try:
        if file.is_symlink() or file.stat().st_size > _LARGEST:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _lines(file: Path, shared: Mapping[str, str]) -> Iterator[Line]:
    wanted, text = _COMMAND if file.suffix == ".md" else _SAYS, text_of(file)
    paths = {**shared, **_named(text)} if _TASKFILE.fullmatch(file.name) else _named(text)
    for number, line in _continued(text):
        if wanted.search(line) and not line.lstrip().startswith("#"):
            words = _USED.sub(lambda used: paths.get(used[1] or used[2] or used[3], used[0]), line) if paths else line
            yield Line(words.strip(), Place(str(file), number))


def _continued(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers: one that ends in a backslash goes on in the next."""
    begun, so_far = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        begun = begun or number
        so_far += line
        if so_far.endswith("\\"):
            so_far = so_far[:-1].rstrip() + " "
            continue
        yield begun, so_far
        begun, so_far = 0, ""
    if begun:
        yield begun, so_far


def unread(said: Sequence[Line]) -> Iterator[Unknown]:
    """What those commands make: one unknown a file, called by what stands in its lines."""
    for file, own in _by_file(said):
        made = frozenset(name for line in own for name in _CREATES.findall(line.text))
        words = pieces(*(line.text for line in own))
        yield Unknown(file, own[0].place, "it is run before Flux", Extent.COMMAND, "", words, made, listed=False)


def _by_file(said: Iterable[Line]) -> Iterator[tuple[str, list[Line]]]:
    found: dict[str, list[Line]] = {}
    for line in said:
        found.setdefault(line.place.file, []).append(line)
    yield from found.items()
