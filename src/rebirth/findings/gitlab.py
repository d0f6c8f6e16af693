"""Findings as GitLab's code quality report, which it shows in merge requests: the part of Code Climate's format that GitLab reads.

Source: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import json
from typing import Any

from rebirth.findings.fingerprint import fingerprints
from rebirth.findings.places import Places
from rebirth.findings.verdict import Verdict
from rebirth.proof.rules import Finding, Severity

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(verdict: Verdict, places: Places) -> str:
    found = zip(verdict.findings, fingerprints(verdict.findings, places), strict=True)
    return (
        json.dumps([_violation(finding, mark, places) for finding, mark in found], indent=2, ensure_ascii=False) + "\n"
    )


def _violation(finding: Finding, fingerprint: str, places: Places) -> dict[str, Any]:
    """GitLab takes none without a path and a line: what nobody wrote, and what means a whole file, stands on the first."""
    return {
        "description": " ".join(
            filter(None, (f"{finding.rule}: {finding.message}", finding.instead, _more(finding, places)))
        ),
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": places.in_repository(finding.place) or ".",
            "lines": {"begin": places.line(finding.place) or 1},
        },
    }


def _more(finding: Finding, places: Places) -> str:
    """The other places of one cause: the format has room for one."""
    shown = [f"{places.in_repository(one.place)}:{places.line(one.place)}" for one in finding.more]
    return f"Also at {', '.join(shown)}." if shown else ""
