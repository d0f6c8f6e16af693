"""A certificate in a file that does not parse, has expired, or soon will.

What it finds:
    PEM in a ConfigMap, a Secret, a `caBundle` or a chart's values that is not a certificate, has expired, or expires within
    a month.

Why it cannot work:
    Clients reject it, or everything that it has signed. One that expires within a month works today.

Example:
    A `caBundle` still has the CA of a Vault that was rebuilt since.

Instead:
    Put the current certificate there, whole, from BEGIN to END.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r66_certificate(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("certificate-unsound", "certificate-ends-soon"):
        over = remark.slug == "certificate-unsound"
        yield Finding(
            "R66",
            Severity.ERROR if over else Severity.WARNING,
            remark.words,
            remark.place,
            why="Clients reject it, and everything it has signed."
            if over
            else "Then it is rejected, with everything it has signed.",
            instead="Put the current certificate there.",
        )
