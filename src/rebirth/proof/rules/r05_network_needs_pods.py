"""The pod network comes from something that needs the pod network.

What it finds:
    Talos is configured without a CNI (`cluster.network.cni.name: none`), and the CNI comes from something that runs in pods
    of that network: a HelmRelease or a Kustomization of Flux. Also: nothing installs a CNI at all.

Why it cannot work:
    Without a network no node is Ready and no pod without `hostNetwork` starts, so neither do the controllers that would
    install the network.

Example:
    A bootstrap waits for Ready nodes before it installs the CNI (siderolabs/terraform-provider-talos#234).

Instead:
    Put the CNI into the machine configuration (`inlineManifests`, `extraManifests`), or let Talos bring flannel.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need


def r05_network_needs_pods(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        start = next((edge for edge in cycle.edges if edge.needs.kind == "pod network"), None)
        if start is None or not cycle.has(Need.NETWORK):
            continue
        chain = cycle.turned(start)
        yield Finding(
            "R05",
            Severity.ERROR,
            f"the pod network comes from something that needs it: {tell(chain)}",
            graph.where.get(start.needs, start.place),
            chain,
            why="Pods get no network before the CNI runs, and what installs the CNI is such a pod.",
            instead="Bring the CNI with the machine configuration: inlineManifests, extraManifests, or Talos' flannel.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
    for thing in graph.missing():
        if thing.kind == "pod network":
            users = graph.needed_by().get(thing, [])
            yield Finding(
                "R05",
                Severity.ERROR,
                "nothing provides a pod network: Talos is configured without a CNI, and these files install no other",
                graph.where.get(thing, users[0].place),
                tuple(users[:1]),
                why="A node is Ready only with a pod network.",
                instead="Bring a CNI with the machine configuration, or let Talos bring flannel.",
            )
