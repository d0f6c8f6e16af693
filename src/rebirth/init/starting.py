"""`rebirth init`: reads, asks, writes; nothing that is there is overwritten."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rebirth.castle import load
from rebirth.castle.load import FILE
from rebirth.errors import Problem, SpecError
from rebirth.init.completing import Ask, complete, is_section, value_of
from rebirth.init.folder import Folder
from rebirth.init.following import follow
from rebirth.init.found import ANSWERED, ASSUMED, Found, Value
from rebirth.init.readers import READERS
from rebirth.init.tree import lay
from rebirth.init.writing import castle_yaml

_FLUX = ".toolkit.fluxcd.io"
_IGNORED = (".rebirth/", "logs/")  # what runs leave beside castle.yaml


@dataclass(frozen=True)
class Started:
    file: Path
    read: int  # values that were found
    assumed: list[str]  # "proxmox.bridge: vmbr0 (as Proxmox is installed)"
    remarks: list[str]
    problems: list[Problem]  # what is still open, or was found and is refused
    laid: list[Path]  # files of a Flux repository to begin with

    def text(self) -> str:
        """What the operator reads."""
        lines = [f"{self.file}: {self.read} values found, {len(self.assumed)} assumed"]
        lines += [f"  assumed {words}" for words in self.assumed]
        lines += [f"wrote {one}" for one in self.laid]
        lines += [f"not taken over: {remark}" for remark in self.remarks]
        if not self.problems:
            lines.append(f"Next: correct what is assumed wrongly, then `rebirth check {self.file.parent}`.")
        return "\n".join(lines) + "\n"


def start(directory: Path, sources: Sequence[Path], answers: Sequence[str], ask: Ask) -> Started:
    """Writes castle.yaml into `directory`. Raises SpecError where one is there, and for answers that are none."""
    file = directory / FILE
    if os.path.lexists(file):
        raise SpecError(
            f"{file} is there already", hint="`rebirth init` overwrites nothing; `rebirth check` says what it lacks."
        )
    for source in sources:
        if not source.is_dir():
            raise SpecError(f"--from: {source} is no folder")
    found = Found()
    _answered(found, answers)
    folders = [Folder(path, directory) for path in dict.fromkeys(path.resolve() for path in (directory, *sources))]
    for folder in folders:
        for read in READERS:
            read(folder, found)
    flux = any(one.group.endswith(_FLUX) for folder in folders for one in folder.objects)
    known = len(found.values) - len(answers)
    _name(found, directory)
    open_ = complete(found, ask)
    follow(found)
    directory.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as opened:
        opened.write(castle_yaml(found, open_))
    _ignore(directory / ".gitignore", found)
    path = found.get("gitops.path")
    laid = lay(directory, path) if path and not flux else []
    return Started(file, known, _assumed(found), found.remarks, _problems(directory), laid)


def _answered(found: Found, answers: Sequence[str]) -> None:
    for answer in answers:
        path, equals, value = answer.partition("=")
        if not equals or not re.fullmatch(r"\w+(\.\w+)*", path):
            raise SpecError(
                f"--set: {answer} is not PATH=VALUE", hint="Such as --set proxmox.endpoint=https://pve.lan:8006"
            )
        for place, said in _values(tuple(path.split(".")), value_of(value)):
            if is_section(place) and not isinstance(said, dict):
                raise SpecError(
                    f"--set: {'.'.join(place)} is a section", hint="Name a value in it, such as proxmox.node."
                )
            found.values.setdefault(place, Value(said, ANSWERED))  # an empty section is an answer, too


def _values(path: tuple[str, ...], value: object) -> Iterator[tuple[tuple[str, ...], object]]:
    """Each value of a mapping by itself, so that what it lacks can be added. A reference to a secret is one value."""
    if isinstance(value, dict) and value and "secret" not in value:
        for key, item in value.items():
            yield from _values((*path, str(key)), item)
    elif value is not None:
        yield path, value


def _name(found: Found, directory: Path) -> None:
    if path := found.get("gitops.path"):
        found.say("name", _label(path.rpartition("/")[2]), "assumed: the last folder of gitops.path")
    found.say("name", _label(directory.resolve().name), "assumed: the directory's name")


def _label(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "castle"


def _assumed(found: Found) -> list[str]:
    return [
        f"{'.'.join(path)}: {value.value} ({value.where.removeprefix('assumed: ')})"
        for path, value in found.values.items()
        if value.where.startswith(ASSUMED)
    ]


def _ignore(file: Path, found: Found) -> None:
    """What runs leave is not for Git. A file that is there is left as it is."""
    if not os.path.lexists(file):
        file.write_text("".join(f"{line}\n" for line in _IGNORED), encoding="utf-8")
    elif lacking := [line for line in _IGNORED if line not in file.read_text(encoding="utf-8").splitlines()]:
        found.remarks.append(f"{file} lacks {' and '.join(lacking)}, which runs leave behind")


def _problems(directory: Path) -> list[Problem]:
    try:
        load(directory)
    except SpecError as error:
        return error.problems
    return []
