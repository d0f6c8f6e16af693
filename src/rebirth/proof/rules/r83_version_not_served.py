"""An object of a version that its kind does not have.

What it finds:
    A custom resource whose apiVersion none of the CRDs of its kind serves: those in the repository, and those of charts of which
    it is known which versions they serve.

Why it cannot work:
    "no matches for kind ... in version ...": the API server rejects the object, and Flux applies nothing of the whole
    Kustomization.

Example:
    `external-secrets.io/v1beta1` with External Secrets 0.17 or later, which serves `v1` alone
    (external-secrets/external-secrets#4840).

Instead:
    Write the version that is served, or take the release of the chart that serves this one.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Remark


def r83_version_not_served(graph: Graph) -> Iterator[Finding]:
    """One finding for each kind in each unit."""
    found: dict[tuple[str, str], list[Remark]] = {}
    for remark in graph.marked("not-served"):
        found.setdefault((remark["kind"], remark["unit"]), []).append(remark)
    for remarks in found.values():
        others = f" (and {len(remarks) - 1} more of that kind)" if len(remarks) > 1 else ""
        yield Finding(
            "R83",
            Severity.ERROR,
            f"{remarks[0].words}{others}",
            remarks[0].place,
            why=f"The API server knows no {remarks[0]['kind']} of that version: nothing of {remarks[0]['unit']} is applied.",
            instead="Write a version that is served.",
        )
