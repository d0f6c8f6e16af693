"""A gate that can never become true.

What it finds:
    A `dependsOn`, a health check or a wait for something that Flux does not reconcile (`suspend: true`), a health check of
    an object that nothing makes or without its namespace, a wait for a Job that is suspended.

Why it cannot work:
    A suspended object of Flux never reports that it is Ready on a cluster where it never ran; what does not exist does not
    either. Whatever is behind the gate is never applied.

Example:
    A Kustomization whose health check names an object that its path no longer contains (onedr0p/cluster-template#1500).

Instead:
    Resume what is suspended, or remove the gate; correct kind, name or namespace of the health check.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.order import Order
from rebirth.proof.rules.unknowns import Chance, Unknowns
from rebirth.proof.things import Edge, Milestone, Need, Thing

_GATES = {Need.DEPENDS_ON, Need.HEALTH, Need.SOURCE, Need.CHART}
_UNITS = {"Kustomization", "HelmRelease"}


def r21_gate_never_true(graph: Graph) -> Iterator[Finding]:
    yield from _suspended(graph)
    yield from _nowhere(graph)
    unlisted = {remark.about.label for remark in graph.marked("orphan") if remark.about}  # told with the file (R14)
    missing = {one for one in graph.missing() if one.label not in unlisted}
    unknowns, order = graph.about(Unknowns), graph.about(Order)
    asleep = {remark.about.label for remark in graph.marked("suspended") if remark.about}
    for edge in graph.of_need(Need.HEALTH):
        if edge.by.kind not in _UNITS or "healthChecks" not in edge.place.path:
            continue
        existing = edge.needs._replace(milestone=Milestone.EXISTS)
        if existing not in missing or edge.by.label == edge.needs.label or edge.by.label in asleep:
            continue
        chance, near = unknowns.chance(existing, [edge]), _near(graph, edge, order)
        if near or chance is not Chance.FAIR:
            yield _absent(graph, edge, near, sure=chance is Chance.NONE)


def _near(graph: Graph, edge: Edge, order: Order) -> str:
    """What the unit itself applies of that kind and name, in another namespace."""
    return next(
        (
            thing.label
            for thing in graph.made
            if (thing.kind, thing.name, thing.milestone) == (edge.needs.kind, edge.needs.name, Milestone.EXISTS)
            and any(unit == edge.by[:3] for unit in order.applied_by(thing))
        ),
        "",
    )


def _suspended(graph: Graph) -> Iterator[Finding]:
    told = {remark.about.label: remark for remark in graph.marked("suspended") if remark.about}
    seen: set[tuple[str, str]] = set()
    for edge in graph.all_edges() if told else ():
        remark = told.get(edge.needs.label)
        if remark is None or edge.need not in _GATES or edge.needs.milestone is not Milestone.READY:
            continue
        if edge.by.label == edge.needs.label or (edge.by.label, edge.needs.label) in seen:
            continue
        if edge.by.label in told:
            continue  # who is suspended, too, waits for nothing
        seen.add((edge.by.label, edge.needs.label))
        written = Edge(edge.needs, _asleep(edge.needs), Need.HEALTH, remark.place, "is suspended")
        yield Finding(
            "R21",
            Severity.ERROR,
            f"{edge.by.label} waits for {edge.needs.label}, which is suspended",
            edge.place,
            (edge, written),
            why="A suspended object is not reconciled: on a new cluster it never becomes Ready.",
            instead="Remove `suspend: true`, or the wait for it.",
            cut=edge,
        )


def _nowhere(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("health-check-nowhere"):
        yield Finding(
            "R21",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Flux knows no default namespace: it asks for an object in none, and never finds it.",
            instead="Write the `namespace` of the health check.",
        )


def _asleep(thing: Thing) -> Thing:
    return Thing("suspend", "", "true", Milestone.EXISTS)


def _absent(graph: Graph, edge: Edge, near: str, *, sure: bool) -> Finding:
    certain = near or (sure and (edge.needs.kind in _UNITS or graph.whole))
    return Finding(
        "R21",
        Severity.ERROR if certain else Severity.WARNING,
        f"{edge.by.label} checks the health of {edge.needs.label}, which nothing makes"
        + (f"; it applies {near}" if near else ""),
        edge.place,
        (edge,),
        why="An object that does not exist is never healthy: the check times out every time.",
        instead=f"Name {near}." if near else "Correct kind, name or namespace of the health check, or remove it.",
        cut=edge,
    )
