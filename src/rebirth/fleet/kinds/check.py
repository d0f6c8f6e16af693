from collections.abc import Mapping
from typing import Any

from rebirth.fleet.kinds.kind import Kind, of_tree


def _told(answer: Mapping[str, Any]) -> str:
    severities = [finding.get("severity") for finding in answer.get("findings", [])]
    return f"{severities.count('error')} errors, {severities.count('warning')} warnings" if "findings" in answer else ""


KIND = Kind(
    "check",
    lambda job: of_tree(job, "check", "--json"),
    _told,
    needs_castle=False,
    outcomes={0: "done", 3: "findings"},
)
