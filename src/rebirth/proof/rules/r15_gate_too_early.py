"""A declared gate that opens before the thing it guards is there.

What it finds:
    A Kustomization that depends on another one in order to use a CRD, a Secret or a ConfigMap which a controller makes from
    that one's objects, while that one neither waits (`wait: true`) nor checks the health of what makes it. And one that depends
    on the CRDs of an operator, waits for objects of it, and does not depend on what runs it.

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
from rebirth.proof.rules.finding import DependsOn, Finding, Severity, names
from rebirth.proof.rules.order import Order, UnitName
from rebirth.proof.things import Edge, Milestone, Need, Thing

_USED = {Need.CRD, Need.VARIABLES, Need.VALUES, Need.CREDENTIAL, Need.DECRYPTION, Need.WEBHOOK}


def r15_gate_too_early(graph: Graph) -> Iterator[Finding]:
    after = graph.about(After)
    found: dict[tuple[Thing, Thing], list[tuple[Edge, Edge]]] = defaultdict(list)
    for gate in graph.of_need(Need.DEPENDS_ON):
        if gate.by.kind != "Kustomization" or gate.by == gate.needs:
            continue
        for use in _uses(graph, gate.by):
            late = use.needs not in graph.starts and _comes_from(graph, use.needs, gate.needs)
            if late and not after.is_there(use.needs, gate.needs):
                found[gate.needs, _maker(graph, use.needs)].append((gate, use))
    late_ones: dict[Thing, dict[Thing, list[tuple[Edge, Edge]]]] = defaultdict(dict)
    for (node, maker), pairs in found.items():
        if not _otherwise_ordered(graph, after, pairs):
            late_ones[node][maker] = pairs
    for node, makers in late_ones.items():
        yield _finding(graph, node, [*makers], [pair for pairs in makers.values() for pair in pairs])
    yield from _kinds_alone(graph)


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


def _kinds_alone(graph: Graph) -> Iterator[Finding]:
    """Gates that stand behind an operator's CRDs, and not behind the operator."""
    order, needed = graph.about(Order), graph.needed_by()
    told: set[tuple[UnitName, UnitName]] = set()
    for run in list(graph.all_edges()):
        if run.need is not Need.WORKLOAD or run.needs.kind != "operator" or run.by.milestone is not Milestone.READY:
            continue
        runner = next((one for one in map(order.owner, order.units(run.needs)) if one), None)
        waits = [
            edge for edge in needed.get(run.by, ()) if edge.need is Need.HEALTH and edge.by.kind == "Kustomization"
        ]
        for wait in waits if runner else ():
            user = UnitName(*wait.by[:3])
            if runner is None or (user, runner) in told or _is_ordered(order, user, run.needs, runner):
                continue
            gate = next((one for one in _gates(graph, wait.by) if _brings_kinds(graph, order, one, run, runner)), None)
            if gate:
                told.add((user, runner))
                yield _alone(graph, gate, wait, run, runner)


def _is_ordered(order: Order, user: UnitName, operator: Thing, runner: UnitName) -> bool:
    """Whether one of the two is declared to come before the other, or they are one."""
    makers = {runner, *order.units(operator)}
    return any(order.is_declared(user, maker) for maker in makers) or order.is_declared(runner, user)


def _gates(graph: Graph, ready: Thing) -> Iterator[Edge]:
    begun = ready._replace(milestone=Milestone.STARTED)
    yield from (edge for edge in graph.edges.get(begun, ()) if edge.need is Need.DEPENDS_ON)


def _brings_kinds(graph: Graph, order: Order, gate: Edge, run: Edge, runner: UnitName) -> bool:
    """Whether a gate is there for the operator's CRDs: the operator stands behind it too, and it makes them, or nobody sees what it makes."""
    unit = UnitName(*gate.needs[:3])
    if not order.is_declared(runner, unit) or unit == runner:
        return False
    kinds = [one for one in graph.things if one.kind == "CRD" and one.name.rpartition("/")[2] == run.by.kind]
    makers = {maker for one in kinds for maker in order.units(one)}
    return unit in makers or (not makers and any(unknown.what == unit.label for unknown in graph.unknowns))


def _alone(graph: Graph, gate: Edge, wait: Edge, run: Edge, runner: UnitName) -> Finding:
    user, operator = wait.by, runner.label
    return Finding(
        "R15",
        Severity.WARNING,
        f"{user.label} depends on the kinds of {run.needs.label} alone, and waits for {run.by.label}, which {operator} runs",
        gate.place,
        (wait, run),
        why=f"Until {operator} is done nothing makes {run.by.label} Ready: whether that is within the time-out is luck.",
        instead=f"Let {user.label} depend on {operator}, and let that wait (`wait: true`).",
        fixes=_fixes(graph, user, runner),
    )


def _fixes(graph: Graph, user: Thing, runner: UnitName) -> tuple[DependsOn, ...]:
    place = graph.where.get(user._replace(milestone=Milestone.APPLIED))
    elsewhere = runner.namespace if runner.namespace != user.namespace else ""
    return (DependsOn(place.file, place.line, runner.name, elsewhere),) if place and place.file else ()


def _finding(graph: Graph, node: Thing, makers: list[Thing], pairs: list[tuple[Edge, Edge]]) -> Finding:
    gate, use = pairs[0]
    maker = makers[0]
    others = f" (and {len(makers) - 1} more)" if len(makers) > 1 else ""
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
        f"{node.label} is Ready before {maker.label} is{others}: {some} depend on it, and need {use.needs.label}",
        graph.where.get(node, gate.place),
        chain,
        why=f"{node.label} does not wait for {maker.label}; whatever depends on it is applied too early, fails, and is retried.",
        instead=f"Set `wait: true` in {node.label}, or add a health check of {maker.label}.",
        cut=gate,
    )
