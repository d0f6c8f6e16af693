"""More is requested than the castle's machines have.

What it finds:
    Pods whose requests no machine can hold; all requests together above what the machines have; more replicas that must not
    share a machine, or copies of a volume, than there are machines.

Why it cannot work:
    The scheduler leaves such pods Pending forever, and whatever waits for them waits, too.

Example:
    A database that requests 24Gi of memory on workers with 16 GiB; three replicas that must not share a node, on one
    worker.

Instead:
    Request less, or give the castle larger or more machines.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r59_too_large(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("too-large", "too-many", "too-much"):
        yield Finding(
            "R59",
            Severity.WARNING if remark.slug == "too-much" else Severity.ERROR,
            remark.words,
            remark.place,
            why="Pods that fit nowhere stay Pending forever.",
            instead="Request less, or give the castle larger or more machines.",
        )
