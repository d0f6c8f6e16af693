"""Where the proof and a rehearsal of the same tree disagree: this is how the proof is kept true."""

from collections.abc import Iterator

from rebirth.diagnosis.root_cause import Outlook, label
from rebirth.proof.prove import ClusterProof
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.things import Scope
from rebirth.rehearse.result import Disagreement, Rehearsed


def disagreements(proof: ClusterProof, findings: list[Finding], done: Rehearsed) -> list[Disagreement]:
    """Errors of the proof although all came up, and stops that no error foresaw."""
    errors = [f for f in findings if f.severity is Severity.ERROR and Scope.FIRST_BOOT in f.scope]
    return [*_came_up(errors, done), *_not_foreseen(errors, done)]


def _came_up(errors: list[Finding], done: Rehearsed) -> Iterator[Disagreement]:
    if done.came_up:
        for finding in errors:
            yield Disagreement(
                f"{finding.rule} is an error of the proof, and all came up: {finding.message}", finding.place
            )


def _not_foreseen(errors: list[Finding], done: Rehearsed) -> Iterator[Disagreement]:
    """A stop is foreseen by an error at the same object, or in whose chain its object stands."""
    known = {thing.label for finding in errors for edge in finding.chain for thing in (edge.by, edge.needs)}
    files = {finding.place.file for finding in errors}
    for stop in done.stops:
        held = {label(key) for key in (*stop.holds_up, stop.cause.key)}
        if label(stop.cause.key) in known or stop.place.file in files or held & known:
            continue
        word = "stopped" if stop.cause.outlook is Outlook.FINAL else "waited without end"
        yield Disagreement(f"the proof did not foresee that it {word}: {stop.message}", stop.place)
