"""What goes into a bundle. Each part is redacted by itself, and one that cannot be is left out."""

import platform
import re
import sys
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from rebirth.bundle.secrets_here import known, without, without_spelled
from rebirth.castle import load
from rebirth.castle.files import content_of
from rebirth.castle.load import FILE
from rebirth.commands import Commands
from rebirth.errors import Broken, SpecError
from rebirth.paths import Paths, paths_of
from rebirth.run.journal import FILE as JOURNAL
from rebirth.secrets import Redaction
from rebirth.terminal import checklist

_RUNS = 5  # the newest
_LARGEST = 8 << 20  # bytes of one part
_PROGRAMS = {
    "talosctl": ("talosctl", "version", "--client", "--short"),
    "helm": ("helm", "version", "--short"),
    "git": ("git", "--version"),
}
_PACKAGE = "castle-rebirth"


@dataclass
class Contents:
    files: dict[str, str] = field(default_factory=dict)  # name in the archive -> text without secrets
    left_out: dict[str, str] = field(default_factory=dict)  # name -> why


async def contents(directory: Path, *, offline: bool) -> Contents:
    """Everything. A castle.yaml that cannot be read names no vault directory: then nothing of the castle is taken."""
    found = Contents()
    try:
        castle = load(directory)
    except SpecError as error:
        found.files["castle-error.txt"] = without(f"{error}\n{error.hint}\n", Redaction())
        why = "castle.yaml cannot be read, so it is not known what is secret in it"
        found.left_out |= dict.fromkeys((FILE, "journal, logs, doctor"), why)
        found.files["versions.txt"] = await _versions(Redaction())
        return found
    paths = paths_of(directory, castle.secrets)
    redaction = known(paths.vault)
    found.files["versions.txt"] = await _versions(redaction)
    for name in (FILE, "lab.yaml"):
        _add(found, name, paths.castle / name, redaction, spelled=True)
    for state in sorted({paths.state, *paths.state.parent.glob("*")}):
        _add(found, f"state/{state.name}/{JOURNAL}", state / JOURNAL, redaction)
    _add_logs(found, paths, redaction)
    if offline:
        found.left_out["doctor.txt"] = "--offline"
    else:
        found.files["doctor.txt"] = without(await _doctor(directory), redaction)
    return found


def _add(found: Contents, name: str, file: Path, redaction: Redaction, *, spelled: bool = False) -> None:
    if not file.exists():
        return
    try:
        text = content_of(file, largest=_LARGEST).decode(errors="replace")
    except OSError as error:
        found.left_out[name] = str(error.strerror)
        return
    text = without(without_spelled(text) if spelled else text, redaction)
    found.files[name] = text


def _add_logs(found: Contents, paths: Paths, redaction: Redaction) -> None:
    folders = sorted(folder for folder in paths.logs.glob("*") if folder.is_dir())
    for folder in folders[-_RUNS:]:
        for file in sorted(folder.glob("*")):
            _add(found, f"logs/{folder.name}/{file.name}", file, redaction)
    if older := len(folders[:-_RUNS]):
        found.left_out["logs"] = f"of {older} older runs"


async def _doctor(directory: Path) -> str:
    from rebirth.doctor import examine

    try:
        return checklist.as_text("the castle", await examine(directory)) + "\n"
    except (Broken, SpecError) as error:
        return f"{error}\n{error.hint}\n"


async def _versions(redaction: Redaction) -> str:
    lines = [f"rebirth {_version(_PACKAGE)}", f"python {platform.python_version()}", f"system {platform.platform()}"]
    lines.append(f"encoding {sys.getfilesystemencoding()}, standard output {sys.stdout.encoding}")
    commands = Commands(redaction)
    for name, argv in _PROGRAMS.items():
        try:
            said = (await commands.run(argv, operation="version")).strip() or "says nothing"
        except Broken as error:
            said = str(error)
        lines.append(f"{name}: {' '.join(said.split())}")
    lines += [f"  {name} {_version(name)}" for name in _dependencies()]
    return without("\n".join(lines) + "\n", redaction)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _dependencies() -> list[str]:
    """What the product itself needs, by name."""
    try:
        required = distribution(_PACKAGE).requires or []
    except PackageNotFoundError:
        return []
    named = (re.match(r"[\w.-]+", text) for text in required if ";" not in text)
    return sorted(name[0] for name in named if name)
