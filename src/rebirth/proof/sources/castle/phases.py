"""The bootstrap's own phases: what each takes, as its signature says.

A phase is two things: APPLIED (what it writes is there) needs the facts that it takes, READY (its fact is true) needs that, and
what the phase waits for (`sources.castle`).
"""

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model
from rebirth.proof.sources.meeting import applied, place, ready, takes
from rebirth.proof.things import Need


def read(model: Model, graph: Graph) -> None:
    for phase in model.phases:
        graph.where[ready(phase.name)] = graph.where[applied(phase.name)] = place(phase)
        graph.needs(ready(phase.name), applied(phase.name), Need.HEALTH, place(phase))
        takes(model, graph, phase, applied(phase.name))
        if not graph.edges[applied(phase.name)]:
            graph.given(applied(phase.name), "it takes nothing that another phase makes", place(phase))
