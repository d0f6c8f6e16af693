"""A phase or a Flux object that can never be reached, for a reason that no other rule has a name for.

What it finds:
    In a castle, where everything that is made is known: a phase or a Kustomization that needs, through however many others,
    something that nothing makes. Reported only where no other rule reports an error; one finding for each missing thing.

Why it cannot work:
    What is missing never becomes true, so neither does anything that depends on it.

Example:
    A custom resource stays in the tree when the HelmRelease of its operator is taken out of the `resources` of its folder.

Instead:
    Add what makes it, or remove what needs it.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.rules.order import UNITS, hidden
from rebirth.proof.things import Edge, Thing


def r22_out_of_reach(graph: Graph) -> Iterator[Finding]:
    if not graph.whole:
        return
    needed = graph.needed_by()
    for thing in graph.missing():
        if hidden(graph, thing):
            continue
        chain = _from_the_nearest_unit(thing, needed)
        if chain:
            yield Finding(
                "R22",
                Severity.ERROR,
                f"{chain[0].by.label} can never finish, since nothing makes {thing.label}: {tell(chain)}",
                chain[-1].place,
                chain,
                why="Nothing makes it, so nothing that depends on it becomes true.",
                instead=_instead(graph, thing),
            )


def _from_the_nearest_unit(thing: Thing, needed: dict[Thing, list[Edge]]) -> tuple[Edge, ...]:
    """The shortest chain of needs from a unit down to `thing`; empty where none hangs on it."""
    came: dict[Thing, Edge] = {}
    pending = [thing]
    for at in pending:
        if at.kind in UNITS and at != thing:
            chain = [came[at]]
            while chain[-1].needs != thing:
                chain.append(came[chain[-1].needs])
            return tuple(chain)
        for edge in needed.get(at, ()):
            if edge.by not in came and edge.by != thing:
                came[edge.by] = edge
                pending.append(edge.by)
    return ()


def _instead(graph: Graph, thing: Thing) -> str:
    for remark in graph.marked("orphan"):
        if remark.about and remark.about.label == thing.label:
            return f"{remark['entry']} defines it, and no kustomization lists it: list it."
    unlisted = [remark.place.file.rpartition("/")[2] for remark in graph.marked("unlisted")]
    hint = f" Nothing lists {', '.join(sorted(set(unlisted)))}: should something?" if unlisted else ""
    return f"Add what makes it, or remove what needs it.{hint}"
