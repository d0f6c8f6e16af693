"""A pod waits at startup for a Service that only answers once the pod is Ready.

What it finds:
    An init container that waits until a Service answers, where the pods behind that Service are its own, or in turn wait
    for a Service of this one.

Why it cannot work:
    A Service has addresses only of pods that are Ready, and a pod is Ready only after its init containers. A name alone is
    another matter: it resolves as soon as the Service exists.

Example:
    The manager of a storage system probes its own Service, or asks the cluster's DNS for itself, before it starts
    (longhorn/longhorn#3523).

Instead:
    Do not wait: connect from the container itself, and retry there. Or set `publishNotReadyAddresses` on the Service.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need

_BETWEEN = {Need.SERVICE, Need.WORKLOAD, Need.MADE_BY}


def r12_waits_for_itself(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        start = cycle.first(Need.SERVICE)
        if start is None or not cycle.has(Need.WORKLOAD) or any(edge.need not in _BETWEEN for edge in cycle.edges):
            continue
        chain = cycle.turned(start)
        yield Finding(
            "R12",
            Severity.ERROR,
            f"{start.by.label} waits for {start.needs.label}, which answers only once it is Ready: {tell(chain)}",
            start.place,
            chain,
            why="A Service has addresses of Ready pods only, and a pod is Ready only after its init containers.",
            instead="Do not wait there: let the container itself connect and retry, or set publishNotReadyAddresses.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
