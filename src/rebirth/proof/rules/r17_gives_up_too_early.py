"""A release retries a limited number of times, and what it needs comes later than that.

What it finds:
    A HelmRelease whose install attempts times time-out are over before what its workloads need is predicted to be there.

Why it cannot work:
    It gives up for good: a HelmRelease whose retries are exhausted waits for a new revision. Later the dependency is there,
    and nothing looks. With lucky timing it sometimes works. (What Jobs give up on is R57.)

Example:
    A release with a short time-out and no retries on a cluster that is just coming up (fluxcd/flux2#5592).

Instead:
    Order it after what it needs (`dependsOn`), or let it retry forever (`install.strategy.name: RetryOnFailure`), or
    longer.
"""

from collections.abc import Iterator

from rebirth.proof.durations import usual
from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Edge, Milestone, Strength, Thing


def r17_gives_up_too_early(graph: Graph) -> Iterator[Finding]:
    bounded = [
        e for e in graph.all_edges() if e.strength is Strength.BOUNDED and e.patience and e.by.kind == "HelmRelease"
    ]
    if not bounded:
        return
    times = _times(graph)
    told: set[tuple[str, str]] = set()
    for edge in bounded:
        begin = times.get(_start(edge.by))
        end = times.get(edge.needs)
        if begin is None or end is None or edge.patience is None or end - begin <= edge.patience:
            continue
        if (edge.by.label, edge.needs.label) not in told:
            told.add((edge.by.label, edge.needs.label))
            yield _finding(edge, edge.patience, end - begin)


def _start(thing: Thing) -> Thing:
    """When it begins to try."""
    return thing._replace(milestone=Milestone.STARTED)


def _times(graph: Graph) -> dict[Thing, float]:
    times: dict[Thing, float] = {}
    for thing in graph.settle().order:
        ends = [times[e.needs] for e in graph.edges.get(thing, ()) if e.needs in times]
        begin = 0.0 if thing in graph.starts or not ends else min(ends) if thing in graph.made else max(ends)
        times[thing] = begin + graph.seconds.get(thing, usual(thing))
    return times


def _finding(edge: Edge, patience: float, late: float) -> Finding:
    return Finding(
        "R17",
        Severity.WARNING,
        f"{edge.by.label} tries for {patience:.0f} s, and {edge.needs.label} is predicted {late:.0f} s after it begins",
        edge.place,
        (edge,),
        why=f"It gives up before {edge.needs.label} is there, and is not retried.",
        instead="Order it after what it needs, or let it retry for longer.",
        cut=edge,
    )
