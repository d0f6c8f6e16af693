"""Fixes of one or a few lines, as changes of a file: shown as unified diffs, below the repository's top."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rebirth.proof.rules.finding import DependsOn, Listed

_LARGEST = 1 << 20  # bytes
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_NO_END = "\\ No newline at end of file"


@dataclass(frozen=True)
class Patch:
    """A change of one file; `hunks` are those of a unified diff."""

    file: str  # absolute
    hunks: str

    def diff(self, name: str) -> str:
        """The whole diff as `git apply` takes it; `name` is the file's path below the repository's top."""
        end = "\t" if " " in name else ""  # without it git takes what follows the blank for a date
        return f"--- a/{name}{end}\n+++ b/{name}{end}\n{self.hunks}"


def patches(fix: Listed | DependsOn) -> tuple[Patch, ...]:
    """The fix as changes of files; none where it takes more than adding lines."""
    if isinstance(fix, Listed):
        return _listed(fix.kustomization, fix.entry)
    return _depends_on(fix.file, fix.line, fix.name, fix.namespace)


def _listed(kustomization: str, entry: str) -> tuple[Patch, ...]:
    """Adds an entry to the resources of a kustomization; none where there is no plain list of them."""
    return _added(Path(kustomization), re.compile(r"^resources:\s*(#.*)?$"), lambda indent: [f"{indent}- {entry}"])


def _depends_on(file: str, line: int, name: str, namespace: str) -> tuple[Patch, ...]:
    """Adds a dependsOn to the Flux Kustomization whose document begins at `line`; none where that takes more than adding lines."""

    def entry(indent: str) -> list[str]:
        return [f"{indent}- name: {name}", *([f"{indent}  namespace: {namespace}"] if namespace else [])]

    path = Path(file)
    has = _added(path, re.compile(r"^\s+dependsOn:\s*(#.*)?$"), entry, start=line)
    if has:
        return has
    text = _text(path)
    if text is None or any("dependsOn" in one for one in _document(text, line)):
        return ()

    def whole(_indent: str) -> list[str]:
        return ["  dependsOn:", *entry("    ")]

    return _added(path, re.compile(r"^spec:\s*(#.*)?$"), whole, start=line, first=True)


def _text(file: Path) -> list[str] | None:
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST:
            return None
        with file.open(encoding="utf-8", newline="") as opened:  # line ends as they are
            return _LINE.findall(opened.read())
    except (OSError, ValueError):
        return None


def _document(lines: list[str], start: int) -> list[str]:
    """The lines of the YAML document that begins at `start`."""
    found: list[str] = []
    for line in lines[max(start - 1, 0) :]:
        if line.startswith("---") and found:
            break
        found.append(line)
    return found


def _added(
    file: Path, head: re.Pattern[str], made: Callable[[str], list[str]], *, start: int = 1, first: bool = False
) -> tuple[Patch, ...]:
    """The diff that adds lines below the line that matches `head`: after the last entry of its list, or as the first lines."""
    lines = _text(file)
    if lines is None:
        return ()
    end = start - 1 + len(_document(lines, start))
    at = next((number for number in range(max(start - 1, 0), end) if head.match(lines[number])), None)
    if at is None:
        return ()
    last, indent = (at, "") if first else _last_entry(lines, at, end)
    if not first and last == at:
        return ()
    line_end = "\r\n" if lines[at].endswith("\r\n") else "\n"
    before = [*lines[:last], lines[last].rstrip("\r\n") + line_end]
    changed = [*before, *(f"{line}{line_end}" for line in made(indent)), *lines[last + 1 :]]
    _, _, *hunks = difflib.unified_diff(lines, changed)  # behind two lines of names
    return (Patch(str(file), "".join(hunk if hunk.endswith("\n") else f"{hunk}\n{_NO_END}\n" for hunk in hunks)),)


def _last_entry(lines: list[str], at: int, end: int) -> tuple[int, str]:
    """The last line of the list below line `at`, and how far its entries are indented; `at` itself where there is none."""
    entry = re.compile(r"^(\s*)- ")
    last, indent = at, ""
    for number in range(at + 1, end):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = entry.match(line)
        if found and last == at:
            indent = found[1]
        elif not (found and found[1] == indent) and (last == at or not line.startswith(f"{indent} ")):
            break
        last = number
    return last, indent
