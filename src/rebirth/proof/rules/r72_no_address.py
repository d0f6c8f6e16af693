"""A Service asks for an address that it cannot have.

What it finds:
    A `clusterIP` that is no address, that is outside of the Services' network (where castle.yaml or a machine configuration
    says which that is), that is the API server's, or that two Services ask for. Services that an operator makes of a custom
    resource are looked at, too (`spec.nameserver.service.clusterIP` of a DNSConfig).

Why it cannot work:
    The API server refuses the Service, and with it Flux applies nothing of its Kustomization. Where an operator makes it, the
    custom resource is never Ready.

Example:
    `clusterIP: 10.96.0.1O1`; two DNS servers at 10.96.0.10.

Instead:
    Take a free address of the Services' network, or leave `clusterIP` out.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r72_no_address(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("no-address"):
        maker = "what its operator makes of this, and it is never Ready" if remark["made"] else "the Service"
        yield Finding(
            "R72",
            Severity.ERROR,
            remark.words,
            remark.place,
            why=f"The API server refuses {maker}.",
            instead="Take a free address of the Services' network, or leave it out.",
        )
