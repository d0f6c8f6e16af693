"""Findings as JSON: everything that is known of them, for programs."""

import json
from collections.abc import Mapping
from typing import Any

from rebirth.findings.patch import patches
from rebirth.findings.places import Places
from rebirth.findings.verdict import Verdict
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.things import Edge, Place, Thing


def render(verdict: Verdict, places: Places, besides: Mapping[str, Any] | None = None) -> str:
    return json.dumps(as_data(verdict, places) | dict(besides or {}), indent=2, ensure_ascii=False) + "\n"


def as_data(verdict: Verdict, places: Places) -> dict[str, Any]:
    seen = verdict.seen
    return {
        "version": 1,
        "counts": {severity.value: verdict.count(severity) for severity in Severity}
        | {"ignored": len(verdict.ignored), "known": verdict.known},
        "verdict": {"word": verdict.word.value, "needed": [*verdict.needed]},
        "findings": [finding_data(finding, places) for finding in verdict.findings],
        "ignored": [
            finding_data(finding, places) | {"reason": ignore.reason, "ignored_at": place_data(ignore.place, places)}
            for finding, ignore in verdict.ignored
        ],
        "clusters": [
            {"folder": cluster, "why": why, **place_data(place, places)} for cluster, why, place in seen.starts
        ],
        "share": {"read": seen.share[0], "files": seen.share[1]},
        "read": {name: getattr(seen, name) for name in ("files", "kustomizations", "charts", "objects")},
        "graph": {"things": seen.things, "needs": seen.needs, "whole": verdict.whole},
        "assumed": [thing_data(one.thing) | {"why": one.why} for one in verdict.taken],
        "unknown": [
            {"what": unknown.what, "why": unknown.why, **place_data(unknown.place, places)}
            for unknown in verdict.unknown
        ],
    }


def finding_data(finding: Finding, places: Places) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        **place_data(finding.place, places),
        "situation": scope_words(finding),
        "why": finding.why,
        "instead": finding.instead,
        "closed": finding.closed,
        "chain": [edge_data(edge, places) | {"cut": edge is finding.cut} for edge in finding.links],
        "also": [[edge_data(edge, places) for edge in cycle] for cycle in finding.also],
        "more": [{"message": one.message, **place_data(one.place, places)} for one in finding.more],
        "patch": diff_of(finding, places),
    }


def diff_of(finding: Finding, places: Places) -> str:
    """The fix as `git apply` takes it at the repository's top; "" where there is none of a few lines."""
    found = [patch for fix in finding.fixes for patch in patches(fix)]
    return "".join(patch.diff(places.in_repository(Place(patch.file))) for patch in found)


def edge_data(edge: Edge, places: Places) -> dict[str, Any]:
    return {
        "by": thing_data(edge.by),
        "need": edge.need.value,
        "needs": thing_data(edge.needs),
        "words": edge.words,
        "strength": edge.strength.value,
        **place_data(edge.place, places),
    }


def thing_data(thing: Thing) -> dict[str, str]:
    return {"kind": thing.kind, "namespace": thing.namespace, "name": thing.name, "milestone": thing.milestone.value}


def place_data(place: Place, places: Places) -> dict[str, Any]:
    return {"file": places.file(place), "line": places.line(place)}


def scope_words(finding: Finding) -> str:
    """In which situation: "first boot", "cold restart"."""
    return ", ".join((s.name or "").lower().replace("_", " ") for s in finding.scope)
