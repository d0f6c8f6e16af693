"""Several machines log in to the tailnet with a key that can be used once.

What it finds:
    `tailscale.node_key.reusable: false` in a castle with more than one machine.

Why it cannot work:
    Tailscale accepts such a key once. The first machine joins, every other one is rejected.

Example:
    A one-machine castle is given a worker, and its key stays as it was.

Instead:
    Make the key reusable; it is short-lived and in memory only.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r64_key_not_reusable(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("key-not-reusable"):
        yield Finding(
            "R64",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="The first machine uses the key up; the others never join the tailnet.",
            instead="Set reusable to true.",
        )
