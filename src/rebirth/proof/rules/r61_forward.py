"""A zone is forwarded to an address that no Service has.

What it finds:
    A `forward` of the cluster's DNS whose addresses are all in the Service network, and none of them is a Service's
    `clusterIP`.

Why it cannot work:
    Nothing answers there. A Service that does not ask for a `clusterIP` gets any address, a different one each time.

Example:
    `ts.net` is forwarded to 10.96.0.101, and the nameserver's Service has no `clusterIP`, or another one
    (tailscale/tailscale#10499).

Instead:
    Give the nameserver's Service that address (`spec.nameserver.service.clusterIP` of a DNSConfig), and forward to it.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r61_forward(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("forward-to-nobody"):
        if remark.about is None or graph.makers(remark.about):
            continue  # another server of this zone is there
        users = graph.needed_by().get(remark.about, []) if remark.about else []
        yield Finding(
            "R61",
            Severity.ERROR if graph.whole else Severity.WARNING,
            f"{remark['zone']} is forwarded to {remark['address']}, which is no Service's clusterIP",
            remark.place,
            tuple(users[:1]),
            why="The API server assigns addresses to Services; no Service has this one unless it asks for it by clusterIP.",
            instead="Give the nameserver's Service this clusterIP.",
        )
