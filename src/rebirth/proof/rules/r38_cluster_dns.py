"""Nothing serves the address of cluster DNS.

What it finds:
    The address that kubelets give to pods (`clusterDNS`) is no Service's, because CoreDNS is disabled in Talos and nothing
    replaces it, or because it has another address.

Why it cannot work:
    Pods ask that address for every name, and nothing answers, neither for Services nor for anything outside.

Example:
    `cluster.coreDNS.disabled: true` in the machine configuration, and a Service for CoreDNS at 10.96.0.11 while kubelets
    say 10.96.0.10 (they have to match).

Instead:
    Give the Service that address, or the kubelets the Service's; or let Talos keep its CoreDNS.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r38_cluster_dns(graph: Graph) -> Iterator[Finding]:
    missing = [thing for thing in graph.missing() if thing.kind == "cluster DNS"]
    for thing in missing:
        users = graph.needed_by().get(thing, [])
        yield Finding(
            "R38",
            Severity.ERROR if graph.whole else Severity.WARNING,
            f"pods ask {thing.name} for names, and no Service has this address",
            graph.where.get(thing, users[0].place),
            tuple(users[:1]),
            why="Without cluster DNS no pod resolves any name.",
            instead="Give the Service of CoreDNS this address, or name its address in clusterDNS.",
        )
