"""Several pods on several machines mount a volume that one machine at a time can have.

What it finds:
    A Deployment with several replicas, or a DaemonSet, that mounts a claim whose only access mode is ReadWriteOnce or
    ReadWriteOncePod. An error where the replicas refuse to stand on one machine, or the volume is for one pod; otherwise a
    warning: with luck the scheduler puts all on one machine.

Why it cannot work:
    The volume is attached where the first pod runs. The others stay in ContainerCreating (`Multi-Attach error`), so the
    workload never becomes Ready.

Example:
    A second replica for availability, with anti-affinity, of what keeps its data in one claim.

Instead:
    A claim with ReadWriteMany of a storage that can do it, a StatefulSet with a claim for each pod, or one replica.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r96_volume_of_one(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("volume-of-one"):
        yield Finding(
            "R96",
            Severity.ERROR if remark["apart"] else Severity.WARNING,
            remark.words,
            remark.place,
            why="The volume is attached to one machine: pods elsewhere wait for it forever.",
            instead="Use ReadWriteMany, a claim for each pod (a StatefulSet), or one replica.",
        )
