"""One-line mends as unified diffs, against the repository or castle that a file stands in."""

import difflib
import re
from collections.abc import Callable
from pathlib import Path

_TOPS = (".git", "castle.yaml", ".rebirth.yaml")
_LARGEST = 1 << 20  # bytes


def listed(kustomization: str, entry: str) -> str:
    """Adds an entry to the resources of a kustomization; "" where there is no plain list of them."""
    return _added(Path(kustomization), re.compile(r"^resources:\s*(#.*)?$"), lambda indent: [f"{indent}- {entry}"])


def depends_on(file: str, line: int, name: str, namespace: str) -> str:
    """Adds a dependsOn to the Flux Kustomization whose document begins at `line`; "" where that takes more than adding lines."""

    def entry(indent: str) -> list[str]:
        return [f"{indent}- name: {name}", *([f"{indent}  namespace: {namespace}"] if namespace else [])]

    path = Path(file)
    has = _added(path, re.compile(r"^\s+dependsOn:\s*(#.*)?$"), entry, start=line)
    if has:
        return has
    text = _text(path)
    if text is None or any("dependsOn" in one for one in _document(text, line)):
        return ""

    def whole(_indent: str) -> list[str]:
        return ["  dependsOn:", *entry("    ")]

    return _added(path, re.compile(r"^spec:\s*(#.*)?$"), whole, start=line, first=True)


def _text(file: Path) -> list[str] | None:
    try:
        if file.stat().st_size > _LARGEST:
            return None
        return file.read_text(encoding="utf-8").splitlines(keepends=True)
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
) -> str:
    """The diff that adds lines below the line that matches `head`: after the last entry of its list, or as the first lines."""
    lines = _text(file)
    if lines is None:
        return ""
    end = start - 1 + len(_document(lines, start))
    at = next((number for number in range(max(start - 1, 0), end) if head.match(lines[number])), None)
    if at is None:
        return ""
    last, indent = (at, "") if first else _last_entry(lines, at, end)
    if not first and last == at:
        return ""
    before = [*lines[:last], lines[last].rstrip("\n") + "\n"]
    changed = [*before, *(f"{line}\n" for line in made(indent)), *lines[last + 1 :]]
    name = _name(file)
    return "".join(difflib.unified_diff(lines, changed, f"a/{name}", f"b/{name}"))


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


def _name(file: Path) -> str:
    top = next((folder for folder in file.parents if any((folder / mark).exists() for mark in _TOPS)), None)
    return file.relative_to(top).as_posix() if top else file.as_posix().lstrip("/")
