"""In which forms a rehearsal is told: text, data, SARIF, annotations of a GitHub workflow, JUnit, its timeline as a page."""

import json
from collections.abc import Callable, Iterator, Mapping

from rebirth.diagnosis.cause import Outlook, label
from rebirth.findings import github, junit, sarif
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.things import Scope
from rebirth.rehearse import telling
from rebirth.rehearse.result import Rehearsed, Stop, Told
from rebirth.rehearse.telling import DROPPED
from rebirth.report.page import render
from rebirth.report.timeline import Ready, Span, Timeline

RULE = "rehearsal"  # what stands where the proof names a rule


def finding(stop: Stop) -> Finding:
    """A stop as a finding of the proof, so that the same forms show it."""
    held = ", ".join(label(key) for key in stop.holds_up)
    severity = Severity.ERROR if stop.cause.outlook is Outlook.FINAL else Severity.WARNING
    why = " ".join(filter(None, [stop.hint, f"It holds up {held}." if held else ""]))
    return Finding(RULE, severity, stop.message, stop.place, scope=Scope.FIRST_BOOT, why=why)


def _findings(done: Rehearsed) -> Iterator[Finding]:
    yield from map(finding, done.stops)
    for one in done.dropped:
        words = f"{label(one.key)}: {one.message}"
        yield Finding(RULE, Severity.WARNING, words, one.place, scope=Scope.FIRST_BOOT, why=DROPPED)


def _sarif(told: Told) -> str:
    done = told.done
    properties = {"ready": done.came_up, "onPaper": len(done.on_paper), "missing": len(done.missing)}
    found = sarif.of_findings(_findings(done), told.places, properties)
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _github(told: Told) -> str:
    return github.of_findings(_findings(told.done), told.places)


def _junit(told: Told) -> str:
    """A test case a node of the Flux graph; one that waits fails with what holds it up."""
    return junit.suite(f"rebirth rehearse {told.done.cluster}", _cases(told), told.done.seconds)


def _cases(told: Told) -> Iterator[junit.Case]:
    done, places = told.done, told.places
    for key, at in done.ready.items():
        yield junit.Case(key[0], f"{key[1]}/{key[2]}", at)
    for key in done.waiting:
        stops = [stop for stop in done.stops if key in (*stop.holds_up, stop.cause.key)]
        words = "; ".join(f"{stop.message} ({places.text(stop.place)})" for stop in stops) or "is not Ready"
        yield junit.Case(key[0], f"{key[1]}/{key[2]}", failure=words)


def _json(told: Told) -> str:
    return json.dumps(telling.data(told), indent=2, ensure_ascii=False) + "\n"


def _page(told: Told) -> str:
    """Where the time went, as the page that `rebirth report` makes of a run."""
    done = told.done
    spans = [Span(name, at, seconds, "", "done", ()) for name, at, seconds in done.steps]
    error = "" if done.came_up else "; ".join(stop.message for stop in done.stops) or "not Ready"
    last = spans[-1].phase if spans else ""
    flux = [Ready(key[0], f"{key[1]}/{key[2]}", at, last) for key, at in done.ready.items()]
    total = max(done.ready.values(), default=done.seconds) if done.came_up else done.seconds
    timeline = Timeline(
        done.cluster, "rehearse", done.started, done.came_up, total, tuple(spans), flux=tuple(flux), error=error
    )
    return render(timeline, {span.phase: "rehearsal" for span in spans})


FORMS: Mapping[str, Callable[[Told], str]] = {
    "text": telling.text,
    "json": _json,
    "sarif": _sarif,
    "junit": _junit,
    "github": _github,
    "html": _page,
}
