"""How long a run will take, before it starts."""

from rebirth.paths import Paths
from rebirth.plan import schedule, times
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model
from rebirth.run import journal


def until_online(model: Model, graph: Graph, paths: Paths) -> float | None:
    """Seconds from nothing to online, as `plan` says; None where nothing tells.

    Nothing tells how long the rest of a run takes that was begun before; and the rules of thumb, which stand in for a run
    that was not recorded yet, are those of real machines, not of the lab's. What nothing makes is taken as there from now on.
    """
    begun = paths.state / journal.FILE
    if begun.exists() and begun.stat().st_size:
        return None
    earlier = times.measured(paths.logs)
    if paths.lab and not earlier.run:
        return None
    times.predict(graph, earlier, schedule.labels(model, graph))
    return schedule.plan(model, graph).online
