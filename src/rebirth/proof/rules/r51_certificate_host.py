"""A certificate and the name that it is shown for disagree.

What it finds:
    An Ingress or Gateway whose TLS Secret comes from a Certificate that is made in the repository for other names.

Why it cannot work:
    Browsers warn that the certificate is for another name, and checks from outside fail.

Example:
    An Ingress for `blog.example.org` shows the Secret of a Certificate for `*.home.example.org`; a wildcard covers one
    label.

Instead:
    Add the name to the Certificate's dnsNames, or name the Secret of the right Certificate.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r51_certificate_host(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("certificate-host"):
        yield Finding(
            "R51",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="A certificate is valid only for the names that it lists; a wildcard covers exactly one label.",
            instead="Add the name to dnsNames, or name another Secret.",
        )
