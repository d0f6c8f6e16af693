"""After a power cycle identities wait for the storage that nobody reaches without an identity.

What it finds:
    SPIRE's server on a volume of a storage system whose own pods are guarded by a policy with mutual authentication
    (Cilium, `authentication: {mode: required}`).

Why it cannot work:
    On a first boot the policy comes last, and all goes well. etcd keeps it: after a restart of the whole cluster SPIRE waits
    for its volume, the storage's pods do not reach each other before SPIRE has given them identities, and the volume is never
    attached.

Example:
    A clusterwide policy for every pod, with SPIRE's data on Longhorn.

Instead:
    Keep SPIRE's data on the node (a local volume), or leave the storage's namespace out of the policy.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need, Scope


def r94_identities_on_storage(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways(Scope.COLD_RESTART):
        start = cycle.first(Need.IDENTITY)
        if start is None:
            continue
        chain = cycle.turned(start)
        kept = cycle.first(Need.STORAGE) or start
        yield Finding(
            "R94",
            Severity.ERROR,
            f"after a power cycle {start.by.label} and {start.needs.label} wait for each other: {tell(chain)}",
            kept.place,
            chain,
            why="The policy is still there, the identities are not, and they are kept on what nobody reaches without one.",
            instead=f"Keep the data of {start.needs.label} on the node, or leave the storage out of the policy.",
            cut=cycle.cut(kept),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
            scope=Scope.COLD_RESTART,
        )
