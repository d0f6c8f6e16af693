"""A Job that connects to something which may come later, and gives up.

What it finds:
    A Job whose containers connect to a Service, with few retries, while nothing orders the Service before the Job.

Why it cannot work:
    A Job tries `backoffLimit` times, 10 s, 20 s, 40 s ... apart, and is then Failed for good; Flux does not run it again,
    and whatever waits for it waits forever. On a cluster that comes up from nothing, a database takes minutes.

Example:
    A migration Job with `backoffLimit: 2` in the same Kustomization as the PostgresCluster that it migrates.

Instead:
    Let an init container wait for the Service, raise backoffLimit, or put the Job into a Kustomization that depends on the
    database.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.order import Order
from rebirth.proof.things import Edge, Need, Strength

_LONG_ENOUGH = 600.0  # seconds: whatever comes up at all is up by then


def r57_job_gives_up(graph: Graph) -> Iterator[Finding]:
    order = graph.about(Order)
    for edge in graph.of_need(Need.SERVICE):
        if edge.by.kind != "Job" or edge.strength is not Strength.BOUNDED:
            continue
        if edge.patience is None or edge.patience >= _LONG_ENOUGH or _comes_first(order, edge):
            continue
        maker = next((one for one in graph.edges.get(edge.needs, ()) if one.needs.label != edge.needs.label), None)
        yield Finding(
            "R57",
            Severity.WARNING,
            f"{edge.by.label} gives up after {edge.patience:.0f} s, and {edge.needs.label} may come later",
            edge.place,
            (edge, maker) if maker else (edge,),
            why="A failed Job is not run again, and nothing orders it after what it connects to.",
            instead="Let an init container wait for it, raise backoffLimit, or depend on what provides it.",
        )


def _comes_first(order: Order, edge: Edge) -> bool:
    """Whether what stands behind the Service is declared to come before the Job."""
    users = order.units(edge.by)
    makers = {unit for one in order.graph.edges.get(edge.needs, ()) for unit in order.units(one.needs)}
    makers |= set(order.units(edge.needs))
    return bool(makers) and all(any(m != u and order.is_declared(u, m) for u in users) for m in makers)
