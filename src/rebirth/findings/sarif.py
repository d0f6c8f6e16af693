"""Findings as SARIF 2.1.0, which code scanners and editors read."""

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rebirth.findings.fingerprint import fingerprints
from rebirth.findings.pages import Page, pages
from rebirth.findings.places import Places
from rebirth.findings.verdict import Verdict
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.things import Place

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(verdict: Verdict, places: Places) -> str:
    return json.dumps(as_data(verdict, places), indent=2, ensure_ascii=False) + "\n"


def as_data(verdict: Verdict, places: Places) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "ignored": len(verdict.ignored),
        "unknown": len(verdict.unknown),
        "whole": verdict.whole,
    }
    properties |= {"verdict": verdict.word.value, "needed": [*verdict.needed]}
    return of_findings(verdict.findings, places, properties)


def of_findings(findings: Iterable[Finding], places: Places, properties: Mapping[str, Any]) -> dict[str, Any]:
    """A run with these results."""
    rules, told = list(pages()), list(findings)
    index = {page.id: at for at, page in enumerate(rules)}
    driver = {
        "name": "rebirth",
        "semanticVersion": version("castle-rebirth"),
        "rules": [_rule(page) for page in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, mark, index, places)
            for finding, mark in zip(told, fingerprints(told, places), strict=True)
        ],
        "properties": dict(properties),
    }
    if lacking := properties.get("needed"):
        words = f"{properties['verdict']}: it takes {'; '.join(lacking)}"
        told_besides = [{"level": "warning", "message": {"text": words}}]
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": told_besides}]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(page: Page) -> dict[str, Any]:
    return {
        "id": page.id,
        "name": page.slug,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.section("What it finds") or page.title},
        "help": {"text": page.text(), "markdown": page.markdown()},
    }


def _result(finding: Finding, fingerprint: str, index: dict[str, int], places: Places) -> dict[str, Any]:
    words = " ".join(w if w.endswith(".") else f"{w}." for w in (finding.message, finding.why, finding.instead) if w)
    found: dict[str, Any] = {
        "ruleId": finding.rule,
        **({"ruleIndex": index[finding.rule]} if finding.rule in index else {}),
        "level": _LEVELS[finding.severity],
        "message": {"text": words},
        "locations": list(_locations([(finding.place, "")], places)),
        "partialFingerprints": {"rebirthFinding/v2": fingerprint},
    }
    chain = [
        (e.place, f"{e.by.label}: {e.need.value}: {e.needs}" + f" ({e.words})" * bool(e.words)) for e in finding.links
    ]
    chain += [(one.place, one.message) for one in finding.more]
    if related := [location | {"id": at} for at, location in enumerate(_locations(chain, places))]:
        found["relatedLocations"] = related
    return found


def _locations(chain: Iterable[tuple[Place, str]], places: Places) -> Iterable[dict[str, Any]]:
    for place, words in chain:
        if place.file:
            physical: dict[str, Any] = {"artifactLocation": _artifact(place, places)}
            if line := places.line(place):
                physical["region"] = {"startLine": line}
            yield {"physicalLocation": physical, **({"message": {"text": words}} if words else {})}


def _artifact(place: Place, places: Places) -> dict[str, str]:
    file = Path(places.in_repository(place))
    if file.is_absolute():
        return {"uri": file.as_uri()}
    return {"uri": file.as_posix().replace("%", "%25").replace(" ", "%20"), "uriBaseId": "%SRCROOT%"}
