"""A Corefile that CoreDNS rejects.

What it finds:
    A ConfigMap with a `Corefile` that CoreDNS of the version in use would not start with.

Why it cannot work:
    CoreDNS reads it when it starts, reports the error and exits; the pods crash-loop, and there is no cluster DNS.

Example:
    `health { lameduck 5s }` on one line: the closing brace counts as a second argument of `lameduck`. `forward .
    some-name`: a name is looked up by CoreDNS itself, before it answers.

Instead:
    Write blocks with one property on each line, and addresses after `forward`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Edge, Milestone, Thing


def r60_corefile(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("corefile"):
        yield Finding(
            "R60",
            Severity.ERROR,
            f"CoreDNS does not start with {remark.about.label if remark.about else 'its Corefile'}: {remark.words}",
            remark.place,
            _chain(graph, remark.about) if remark.about else (),
            why="It exits when it reads this, so its pods crash-loop and answer nothing.",
            instead="Write each block on its own lines, and addresses after `forward`.",
        )


def _chain(graph: Graph, config: Thing) -> tuple[Edge, ...]:
    """From the cluster's DNS to the Corefile; else from the pods that read it."""
    for thing in graph.things:
        if thing.kind == "cluster DNS" and (chain := graph.path(thing, config)):
            return chain
    users = (edge for edge in graph.needed_by().get(config, []) if edge.by.milestone is Milestone.READY)
    return tuple(list(users)[:1])
