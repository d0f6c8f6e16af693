"""A certificate in a file that does not parse, has expired, or soon will.

What it finds:
    PEM in a ConfigMap, a Secret, a `caBundle` or a chart's values that is no certificate, has expired, or expires within a month.

Why it cannot work:
    Who is to trust it rejects it, or everything that it has signed. One that ends within the month works today.

Example:
    The CA of a Vault that was made again stands in its old form in a `caBundle`.

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
            why="Whoever reads it rejects it, and everything it has signed."
            if over
            else "Then it is rejected, with everything it has signed.",
            instead="Put the current certificate there.",
        )
