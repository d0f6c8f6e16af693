"""What is ignored, and why: comments beside what is found, and entries of castle.yaml or of the repository's .rebirth.yaml."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from rebirth.findings.places import Places
from rebirth.proof.reading.repository_files import IGNORE
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.things import Place

if TYPE_CHECKING:
    from rebirth.castle import Check

_COMMENT = re.compile(r"(?:^|\s)#\s*rebirth: ignore\b(.*)$")
_RULES = re.compile(r"\s*R\d+\b,?")


def r00_ignore(ignores: Iterable["Ignore"], used: set["Ignore"], rules: set[str]) -> Iterator[Finding]:
    """An ignore that says nothing, or that nothing needs any more.

    What it finds:
        `# rebirth: ignore R16` without a reason, with a rule that is none, or beside which nothing is found (any more); the
        same for entries of `check.ignore`. An entry of a baseline that matches nothing any more.

    Why it cannot work:
        An ignore without a reason does not count: nobody could say later whether it still may stand. One that matches nothing
        would hide the next finding at that place.

    Example:
        `# rebirth: ignore R16` above a line, and no word why.

    Instead:
        Write the reason behind the rule: `# rebirth: ignore R16 the class is made by the cloud`. Remove what matches nothing;
        a baseline is written anew with `--write-baseline`.
    """
    for ignore in ignores:
        names = ", ".join(sorted(ignore.rules)) or "no rule"
        if not ignore.rules or ignore.rules - rules:
            strange = ", ".join(sorted(ignore.rules - rules)) or "none"
            yield _finding(ignore, Severity.WARNING, f"an ignore names {strange}: no such rule")
        elif not ignore.reason:
            yield _finding(ignore, Severity.WARNING, f"the ignore of {names} has no reason, so it does not count")
        elif ignore not in used:
            yield _finding(ignore, Severity.INFO, f"the ignore of {names} matches nothing")


def _finding(ignore: "Ignore", severity: Severity, message: str) -> Finding:
    return Finding("R00", severity, message, ignore.place)


@dataclass(frozen=True, slots=True)
class Ignore:
    rules: frozenset[str]
    reason: str
    place: Place  # where it is written
    line: int = 0  # of the comment's file, that it speaks of; 0: an entry
    pattern: str = ""  # of an entry
    bases: tuple[str, ...] = ()  # the folders in which the pattern is meant

    def meets(self, finding: Finding, places: Places) -> bool:
        """Whether it speaks of that finding: by the finding's own place, not by the rest of its chain."""
        if not self.reason or finding.rule not in self.rules:
            return False
        if self.line:
            return finding.place.file == self.place.file and places.line(finding.place) == self.line
        file = Path(finding.place.file)
        paths = [str(file.relative_to(base)) for base in self.bases if finding.place.file and file.is_relative_to(base)]
        return any(fnmatchcase(path, self.pattern) for path in paths or [finding.place.file])


def entries(check: "Check", file: Path, *bases: Path) -> Iterator[Ignore]:
    """The entries of a `check` section that stands in `file`; their patterns mean paths below `bases`."""
    line = _first_line(file)
    for index, entry in enumerate(check.ignore):
        place = Place(str(file), line, ("check", "ignore", index))
        yield Ignore(frozenset({entry.rule}), entry.reason, place, 0, entry.where, tuple(map(str, bases)))


def _first_line(file: Path) -> int:
    """Of the file's only document."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    written = (at for at, line in enumerate(lines, 1) if line.strip() and not line.startswith(("#", "---")))
    return next(written, 1)


def comments(files: Iterable[str]) -> Iterator[Ignore]:
    """The comments of those files, in order."""
    for file in sorted(set(files)):
        try:
            raw = Path(file).read_bytes()
        except OSError:
            continue
        if IGNORE in raw:
            yield from _comments(file, raw.decode(errors="replace").splitlines())


def _comments(file: str, lines: list[str]) -> Iterator[Ignore]:
    for number, line in enumerate(lines, 1):
        if found := _COMMENT.search(line):
            rest, rules = found[1], set()
            while named := _RULES.match(rest):
                rules.add(named[0].strip(" ,\t"))
                rest = rest[named.end() :]
            yield Ignore(frozenset(rules), rest.strip(" \t-:,"), Place(file, number), _meant(lines, number))


def _meant(lines: list[str], number: int) -> int:
    """The line that a comment on line `number` speaks of: its own, or the next that is no comment where it stands alone."""
    for at in range(number, len(lines) + 1):
        if not lines[at - 1].lstrip().startswith("#"):
            return at
    return number
