"""Every new castle orders a certificate from an authority with a quota.

What it finds:
    An issuer of Let's Encrypt's production service, and Certificates of it, in a castle that is rebuilt again and again,
    while nothing restores an earlier certificate.

Why it cannot work:
    Let's Encrypt issues five certificates a week for the same names. The sixth castle of that week gets none, and its sites
    answer with a self-signed one.

Example:
    A cluster that was installed a few times in a row gets no certificate any more (brave/star-randsrv#78).

Instead:
    Keep the certificate outside (Vault, a PushSecret) and read it from there; use the staging service for drills.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r29_outside_quota(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("ordered-anew"):
        yield Finding(
            "R29",
            Severity.WARNING,
            remark.words,
            remark.place,
            why="Let's Encrypt issues five certificates a week for the same names; the sixth castle gets none.",
            instead="Keep the certificate in Vault and read it from there, or order from the staging service in rehearsals.",
        )
