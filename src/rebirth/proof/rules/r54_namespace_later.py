"""An object's namespace is made by another Kustomization, on which it does not depend.

What it finds:
    A Kustomization with objects in a namespace that a Kustomization makes which itself comes only after the first one's
    dependents, or which the first does not depend on.

Why it cannot work:
    Flux dry-runs a Kustomization as a whole: one object in a missing namespace, and nothing of it is applied. It tries
    again after its retry interval, so on a first boot the order is a matter of luck, and of minutes.

Example:
    `apps` applies a Deployment to the namespace `blog`, which the Kustomization `namespaces` makes; `apps` depends only on
    `configs`.

Instead:
    Depend on the Kustomization that makes the namespace, or create the namespace in the same one: Flux applies namespaces
    first.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import DependsOn, Finding, Severity
from rebirth.proof.rules.order import Order, UnitName
from rebirth.proof.things import Edge, Milestone, Need, Thing


def r54_namespace_later(graph: Graph) -> Iterator[Finding]:
    order = graph.about(Order)
    found: list[tuple[Edge, UnitName, UnitName]] = []
    for edge in graph.of_need(Need.NAMESPACE):
        if edge.by.kind != "Kustomization" or edge.needs in graph.starts:
            continue
        user = UnitName(edge.by.kind, edge.by.namespace, edge.by.name)
        makers = order.units(edge.needs)
        if not makers or any(order.is_declared(user, maker) for maker in makers):
            continue
        maker = makers[0]
        if any(order.is_declared(one, user) for one in makers):
            continue  # a cycle, and another rule's
        found.append((edge, user, maker))
    late = {(user, maker) for _, user, maker in found}
    for edge, user, maker in found:
        # Who depends on one that is late itself is in time as soon as that one is.
        if not any((before, maker) in late and user not in order.before(before) for before in order.before(user)):
            yield _finding(graph, edge, user, maker)


def _finding(graph: Graph, edge: Edge, user: UnitName, maker: UnitName) -> Finding:
    place = graph.where.get(Thing(*user, Milestone.APPLIED), edge.place)
    made = next(iter(graph.makers(edge.needs)), None)
    elsewhere = maker.namespace if maker.namespace != user.namespace else ""
    return Finding(
        "R54",
        Severity.WARNING,
        f"{user.label} needs {edge.needs.label}, which {maker.label} makes, and does not depend on it",
        edge.place,
        (edge, made) if made else (edge,),
        why="Flux rejects the whole Kustomization while one of its namespaces is missing, and tries again later.",
        instead=f"Let it depend on {maker.name}, or create the namespace in it.",
        cause=f"{maker.label}",
        fixes=(DependsOn(place.file, place.line, maker.name, elsewhere),)
        if place.file and maker.kind == "Kustomization"
        else (),
    )
