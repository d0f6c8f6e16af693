"""A name that is used for the Kubernetes API is not in its certificate.

What it finds:
    A client reaches port 6443 by a name that the API server's certificate does not contain, because it is in no list, or
    only in `machine.certSANs`, which is for the Talos API on port 50000.

Why it cannot work:
    The client rejects a certificate without the name that it asked for. Names in `machine.certSANs` appear in the
    certificate of the Talos API only, within seconds.

Example:
    A machine is reached by its tailnet name, and the name was added to `machine.certSANs` (siderolabs/talos#9008).

Instead:
    Add the name to `cluster.apiServer.certSANs` (`kubernetes.cert_sans` of a castle).
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Edge, Need, Remark


def r06_name_in_certificate(graph: Graph) -> Iterator[Finding]:
    missing = {thing for thing in graph.missing() if thing.kind == "certificate for"}
    elsewhere = {remark.about: remark for remark in graph.marked("name-in-the-other-list")}
    for edge in graph.all_edges() if missing else ():
        if edge.needs not in missing:
            continue
        host = edge.needs.name.rpartition(":")[0]
        remark = elsewhere.get(edge.needs)
        where = "only in machine.certSANs, the Talos API's list" if remark else "in no list of certificate names"
        yield Finding(
            "R06",
            Severity.ERROR,
            f"{edge.by.label} reaches the Kubernetes API as {host}, and this name is {where}",
            edge.place,
            (edge, *_other(edge, remark)),
            why="Clients reject a certificate that does not contain the name that they asked for.",
            instead="Add the name to cluster.apiServer.certSANs (in a castle: kubernetes.cert_sans).",
        )


def _other(edge: Edge, remark: Remark | None) -> tuple[Edge, ...]:
    """The place where the name stands instead."""
    if remark is None or remark.about is None:
        return ()
    host = remark.about.name.rpartition(":")[0]
    other = remark.about._replace(name=f"{host}:50000")
    return (Edge(edge.needs, other, Need.CERTIFICATE, remark.place, "machine.certSANs is for port 50000"),)
