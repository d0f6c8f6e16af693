"""Pods for which no machine is left, because of taints.

What it finds:
    Every machine has a taint that a workload does not tolerate: no worker, and a control plane that accepts no other pods;
    a taint in `machine.nodeTaints` that nothing removes; or one whose remover does not tolerate it itself.

Why it cannot work:
    The pods stay Pending, and the one that would remove the taint may be among them.

Example:
    The cloud controller removes the taint "uninitialized", and does not tolerate it (kubernetes/kops#4367).

Instead:
    Add the toleration to the pods that remove the taint; set `machines.schedulable_control_planes`, or add a worker.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need


def r09_taint(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        if not any(edge.needs.kind == "machine without the taint" for edge in cycle.edges):
            continue
        start = cycle.first(Need.NODE)
        assert start is not None
        chain = cycle.turned(start)
        yield Finding(
            "R09",
            Severity.ERROR,
            f"the pod that removes a taint does not tolerate it: {tell(chain)}",
            start.place,
            chain,
            why="It is not scheduled on a machine with the taint, so the taint stays.",
            instead="Add a toleration for the taint to its pods.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
    for thing in graph.missing():
        if thing.kind == "machine without the taint":
            users = graph.needed_by().get(thing, [])
            first, more = users[0], len({edge.by for edge in users}) - 1
            others = f" and {more} more" if more else ""
            yield Finding(
                "R09",
                Severity.ERROR,
                f"no machine accepts the pods of {first.by.label}{others}: each has the taint {thing.name}",
                graph.where.get(thing, first.place),
                (first,),
                why="They do not tolerate this taint, and nothing removes it, so they stay Pending.",
                instead="Add a worker, set machines.schedulable_control_planes, or tolerate the taint.",
            )
