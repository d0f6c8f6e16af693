"""Flux fetches from a server that exists only once Flux has fetched.

What it finds:
    A GitRepository, OCIRepository, HelmRepository or Bucket whose host is a Service of this very cluster, or the host of an
    Ingress or route that leads to one, where that server is applied, directly or through others, from what is fetched there.

Why it cannot work:
    It works as long as the cluster lives. A new cluster has no such server, so nothing is fetched, so nothing ever makes it.

Example:
    The repository that defines a Forgejo is moved into this Forgejo.

Instead:
    Let Flux fetch what makes the server from a place outside, a mirror for instance; the server's own repositories can feed
    Kustomizations that depend on it.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need


def r95_fetched_from_inside(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        start = cycle.first(Need.FETCHED)
        if start is None:
            continue
        chain = cycle.turned(start)
        yield Finding(
            "R95",
            Severity.ERROR,
            f"{start.by.label} is fetched from a server that is made of it: {tell(chain)}",
            start.place,
            chain,
            why="A new cluster has no such server, so nothing is fetched, and nothing ever makes the server.",
            instead="Fetch what makes the server from a place outside of this cluster.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
