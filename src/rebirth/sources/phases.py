"""The bootstrap's own phases: what each takes, as its signature says.

A phase is two things: APPLIED (what it writes is there) needs the facts that it takes, READY (its fact is true) needs that, and
what the phase waits for (`sources.castle`).
"""

from rebirth.proof.graph import Graph, Milestone, Need, Place, Strength, Thing
from rebirth.proof.reading.manifest import Model, thing
from rebirth.run.phase import Phase, needs


def applied(name: str) -> Thing:
    return thing("phase", "", name, Milestone.APPLIED)


def ready(name: str) -> Thing:
    return thing("phase", "", name, Milestone.READY)


def place(phase: Phase) -> Place:
    return Place(phase.file, phase.line)


def read(model: Model, graph: Graph) -> None:
    for phase in model.phases:
        graph.where[ready(phase.name)] = graph.where[applied(phase.name)] = place(phase)
        graph.needs(ready(phase.name), applied(phase.name), Need.HEALTH, place(phase))
        takes(model, graph, phase, applied(phase.name))
        if not graph.edges[applied(phase.name)]:
            graph.given(applied(phase.name), "it takes nothing that another phase makes", place(phase))


def takes(model: Model, graph: Graph, phase: Phase, by: Thing) -> None:
    """`by`, a part of what the phase does, needs the facts that the phase takes."""
    makers = {other.makes: other for other in model.phases}
    for fact, chain in needs(phase, model.phases, model.connections).items():
        through = f" through {', '.join(chain)}" if chain else ""
        words = f"takes {fact.__name__}{through}"
        graph.needs(by, ready(makers[fact].name), Need.PHASE, place(phase), words, strength=Strength.HARD)
