"""An operator may not do what its program asks for when it starts.

What it finds:
    A ClusterRole of the repository for an operator of which it is known that its version, as the image says it, lists and watches something
    in all namespaces, and that does not allow it.

Why it cannot work:
    The operator waits for its cache, gives up, and is started again: nothing of its kinds is ever worked on.

Example:
    A ClusterRole for the Dragonfly operator from before version 1.6, which watches ConfigMaps, too (dragonflydb/dragonfly-operator#542).

Instead:
    Take the rights over from the version of the operator that is run.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r88_not_granted(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("not-granted"):
        yield Finding(
            "R88",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="The program ends when it may not read what it watches, again and again.",
            instead=f"Allow it in the rules of ClusterRole {remark['role']}.",
        )
