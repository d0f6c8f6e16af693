"""A pool hands out an address that is taken.

What it finds:
    A range of addresses for load balancers that includes the address of a machine, of the gateway or of a nameserver.

Why it cannot work:
    Two devices answer for one address. Which of them is reached changes with every ARP answer.

Example:
    A pool of the whole network, 192.168.50.0/24, which the machines use, too.

Instead:
    Exclude the taken addresses from the pool.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r63_pool_overlaps(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("pool-overlaps"):
        yield Finding(
            "R63",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Two devices would answer for one address, and it is chance which one is reached.",
            instead="Exclude the address from the pool.",
        )
