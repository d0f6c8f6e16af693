"""A declared gate that opens before the thing it guards is there.

What it finds:
    A Kustomization that depends on another one in order to use a CRD, a Secret or a ConfigMap which a controller makes from
    that one's objects, while that one neither waits (`wait: true`) nor checks the health of what makes it.

Why it cannot work:
    Without `wait` or `healthChecks` a Kustomization is Ready as soon as its objects are applied: the HelmRelease is there,
    the CRD it brings is not. The dependent is applied too early, fails, and is retried after `retryInterval`; what it has
    applied by then, such as Jobs, may give up first.

Example:
    Applications depend on the Kustomization with the operator's HelmRelease, which does not wait (rwlove/home-ops#13508).

Instead:
    `wait: true` in the Kustomization that it depends on, or a health check of the HelmRelease there.
"""

from collections import defaultdict
from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.after import After
from rebirth.proof.rules.finding import Finding, Severity, names
from rebirth.proof.things import Edge, Milestone, Need, Thing

_USED = {Need.CRD, Need.VARIABLES, Need.VALUES, Need.CREDENTIAL, Need.DECRYPTION, Need.WEBHOOK}


def r15_gate_too_early(graph: Graph) -> Iterator[Finding]:
    after = After(graph)
    found: dict[tuple[Thing, Thing], list[tuple[Edge, Edge]]] = defaultdict(list)
    for gate in graph.of_need(Need.DEPENDS_ON):
        if gate.by.kind != "Kustomization" or gate.by == gate.needs:
            continue
        for use in _uses(graph, gate.by):
            late = use.needs not in graph.starts and _comes_from(graph, use.needs, gate.needs)
            if late and not after.is_there(use.needs, gate.needs):
                found[gate.needs, _maker(graph, use.needs)].append((gate, use))
    for (node, maker), pairs in found.items():
        if not _otherwise_ordered(graph, after, pairs):
            yield _finding(graph, node, maker, pairs)


def _uses(graph: Graph, started: Thing) -> Iterator[Edge]:
    for milestone in (Milestone.STARTED, Milestone.APPLIED):
        yield from (e for e in graph.edges.get(started._replace(milestone=milestone), ()) if e.need in _USED)


def _maker(graph: Graph, thing: Thing) -> Thing:
    """Who makes it, as an object of its own: a HelmRelease, an ExternalSecret."""
    makers = graph.makers(thing)
    return makers[0].needs if makers else thing


def _comes_from(graph: Graph, thing: Thing, node: Thing) -> bool:
    """Whether a controller makes `thing` of an object that the node itself applies."""
    makers = graph.makers(thing)
    if len(makers) != 1 or makers[0].needs.kind == "Kustomization":
        return False
    existing = makers[0].needs._replace(milestone=Milestone.EXISTS)
    return any(edge.needs.label == node.label for edge in graph.makers(existing))


def _otherwise_ordered(graph: Graph, after: After, pairs: list[tuple[Edge, Edge]]) -> bool:
    """Another gate of the same dependent may wait for it."""
    return all(
        any(
            after.is_there(use.needs, other.needs)
            for other in graph.edges.get(gate.by, ())
            if other.need is Need.DEPENDS_ON and other is not gate
        )
        for gate, use in pairs
    )


def _finding(graph: Graph, node: Thing, maker: Thing, pairs: list[tuple[Edge, Edge]]) -> Finding:
    gate, use = pairs[0]
    users = [one.by for one, _ in pairs]
    some = names(users[:3]) + (
        f" and {len({u.label for u in users}) - 3} more" if len({u.label for u in users}) > 3 else ""
    )
    made = graph.makers(use.needs)[0]
    applied = next((e for e in graph.makers(made.needs._replace(milestone=Milestone.EXISTS))), None)
    chain = (gate, use, made, *((applied,) if applied else ()))
    return Finding(
        "R15",
        Severity.WARNING,
        f"{node.label} is Ready before {maker.label} is: {some} depend on it, and need {use.needs.label}",
        graph.where.get(node, gate.place),
        chain,
        why=f"{node.label} does not wait for {maker.label}; whatever depends on it is applied too early, fails, and is retried.",
        instead=f"Set `wait: true` in {node.label}, or add a health check of {maker.label}.",
        cut=gate,
    )
