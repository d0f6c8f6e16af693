"""Findings that are known: a file of them is not reported again, and not counted by the exit code.

Written by `--write-baseline`, as detekt's `--create-baseline` beside `--baseline` does it; JSON, an entry a line, so that a merge
of two branches is a merge of lines. An entry matches by its fingerprint; the rest of it is for whoever reads the file.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rebirth.errors import SpecError
from rebirth.findings.fingerprint import fingerprints
from rebirth.findings.places import Places
from rebirth.findings.verdict import Verdict
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.rules.finding import apart, grouped
from rebirth.proof.things import Place

_VERSION = 1
_HINT = "`rebirth check --baseline FILE --write-baseline` writes one."


@dataclass(frozen=True)
class Entry:
    fingerprint: str
    rule: str
    file: str
    place: Place  # of the entry itself


def write(file: Path, verdict: Verdict, places: Places) -> None:
    """Every finding of the verdict, place by place. Raises SpecError where the file cannot be written."""
    told = [*apart(verdict.findings)]
    found = zip(told, fingerprints(told, places), strict=True)
    entries = [
        {"rule": one.rule, "file": places.in_repository(one.place), "message": one.message, "fingerprint": mark}
        for one, mark in found
    ]
    lines = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
    listed = f"[\n{lines}\n  ]" if entries else "[]"
    try:
        file.write_text(f'{{\n  "version": {_VERSION},\n  "findings": {listed}\n}}\n', encoding="utf-8")
    except OSError as error:
        raise SpecError(f"--baseline: {file}: {error.strerror}") from None


def read(file: Path) -> list[Entry]:
    """Raises SpecError where it is no baseline of this version."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["version"] == _VERSION:
            return [_entry(at, one, file) for at, one in enumerate(found["findings"])]
    except OSError as error:
        raise SpecError(f"--baseline: {file}: {error.strerror}", hint=_HINT) from None
    except (ValueError, LookupError, TypeError):
        pass
    raise SpecError(f"--baseline: {file}: is not a baseline of this version", hint=_HINT)


def _entry(at: int, one: dict[str, str], file: Path) -> Entry:
    place = Place(str(file.resolve()), 1, ("findings", at))
    return Entry(str(one["fingerprint"]), str(one["rule"]), str(one["file"]), place)


def without(verdict: Verdict, places: Places, known: list[Entry]) -> Verdict:
    """The verdict without what is known, and with what is known and no longer found."""
    marks = {entry.fingerprint for entry in known}
    told = [*apart(verdict.findings)]
    found = fingerprints(told, places)
    left = grouped(one for one, mark in zip(told, found, strict=True) if mark not in marks)
    unmatched = tuple(_unmatched(entry for entry in known if entry.fingerprint not in found))
    count = len(grouped(one for one, mark in zip(told, found, strict=True) if mark in marks))
    return replace(verdict, findings=(*left, *unmatched), known=verdict.known + count)


def _unmatched(entries: Iterator[Entry]) -> Iterator[Finding]:
    for entry in entries:
        where = f" in {entry.file}" if entry.file else ""
        yield Finding(
            "R00",
            Severity.INFO,
            f"the baseline knows {entry.rule}{where}, which is no longer found",
            entry.place,
            instead="Write the baseline anew with --write-baseline, or remove the line.",
        )
