"""Findings as commands of a GitHub workflow: each becomes an annotation at its line."""

from collections.abc import Iterable, Iterator, Sequence

from rebirth.findings.certainty import Word
from rebirth.findings.places import Places
from rebirth.findings.text import because
from rebirth.findings.verdict import Verdict
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.things import Place

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(verdict: Verdict, places: Places, besides: Sequence[str] = ()) -> str:
    """`besides` are lines of a note that is at no line."""
    if verdict.word is Word.CANNOT_TELL:
        besides = (*besides, f"{verdict.word.value}: it takes {'; '.join(verdict.needed)}")
    note = f"::notice title=rebirth::{_words(chr(10).join(besides))}\n" if besides else ""
    return of_findings(verdict.findings, places) + note


def of_findings(findings: Iterable[Finding], places: Places) -> str:
    """A line each."""
    return "".join(f"{_command(finding, places)}\n" for finding in findings)


def _command(finding: Finding, places: Places) -> str:
    fields = {
        "file": places.in_repository(finding.place),
        "line": str(places.line(finding.place) or ""),
        "title": finding.rule,
    }
    told = ",".join(f"{name}={_field(value)}" for name, value in fields.items() if value)
    words = _words("\n".join(_lines(finding, places)))
    return f"::{_COMMANDS[finding.severity]} {told}::{words}"


def _lines(finding: Finding, places: Places) -> Iterator[str]:
    yield finding.message
    for edge in finding.links:
        yield f"- {edge.by.label}: {because(edge)}: {edge.needs} {_at(edge.place, places)}".rstrip()
    for one in finding.more:
        yield f"- and {_at(one.place, places)}: {one.message}"
    if finding.why:
        yield f"Why: {finding.why}"
    if finding.instead:
        yield f"Instead: {finding.instead}"


def _at(place: Place, places: Places) -> str:
    line = places.line(place)
    return places.in_repository(place) + (f":{line}" if line else "")


def _words(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _field(text: str) -> str:
    return _words(text).replace(":", "%3A").replace(",", "%2C")
