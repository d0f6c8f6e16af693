"""A custom resource is in the unit that brings its CRD, or in an earlier one.

What it finds:
    A custom resource whose CRD is made by something that comes only after the custom resource has been applied: by a
    HelmRelease in the same Kustomization, by one in a Kustomization that depends on it, or by the same chart's templates. Or
    one in a chart (a ServiceMonitor that its values switch on; a warning where the chart is not known), whose CRD comes after the chart; or of a kind that a definition
    beside it makes (a ConstraintTemplate, a CompositeResourceDefinition, a ResourceGraphDefinition).

Why it cannot work:
    Flux asks the API server for all objects of a Kustomization before it applies any of them (except CRDs and Namespaces
    that are there as plain objects, which come first). While one kind is unknown it applies nothing, not even the
    HelmRelease that would install the CRD. Helm, too, rejects a whole chart that contains a kind which is not known
    yet. Kinds of a pod network (Cilium, Calico) are a warning: Flux's own pods need one, so it is there before Flux, mostly
    the same that Flux then takes over.

Example:
    cert-manager's HelmRelease and a ClusterIssuer in one folder (fluxcd/flux2#1966;
    hashicorp/terraform-provider-kubernetes#1367 and devantler-tech/platform#1755 are the same with other tools).

Instead:
    Put the custom resources into a Kustomization of their own that depends on the one with the HelmRelease, which waits for
    it (`wait: true`).
"""

from collections.abc import Iterator

from rebirth.proof.cycles import Cycle
from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.rules.unknowns import Unknowns
from rebirth.proof.things import Edge, Need, Thing

_KINDS = {Need.CRD, Need.LIKELY}
# What may stand between the CRD and the custom resource; anything else is another rule's cycle.
_BETWEEN = {
    Need.CRD, Need.MADE_BY, Need.APPLIED_BY, Need.DEPENDS_ON, Need.HEALTH, Need.CHART, Need.SOURCE, Need.NAMESPACE, Need.PHASE,
    Need.WORKLOAD, Need.LIKELY,
}  # fmt: skip

# Kinds of pod networks: Flux's own pods need one, so whoever lets Flux take over the one in use has its kinds already.
_NETWORKS = frozenset({
    "cilium.io", "crd.projectcalico.org", "projectcalico.org", "operator.tigera.io", "crd.antrea.io", "kubeovn.io",
})  # fmt: skip


def r01_kind_before_its_crd(graph: Graph) -> Iterator[Finding]:
    """One finding for each unit and each maker, however many kinds of it the unit holds."""
    found: dict[tuple[Thing, Thing], list[Cycle]] = {}
    unknowns = graph.about(Unknowns)
    for cycle in graph.cycles():
        way = next((way for way in cycle.ways() if _is_kind_first(way)), None)
        if way is not None and not unknowns.kept_apart(way.edges):
            chain = way.turned(_start(way))
            start = chain[0]
            maker = chain[1].needs if len(chain) > 1 else start.by
            found.setdefault((start.by, maker), []).append(way)
    for (unit, maker), cycles in found.items():
        yield _finding(graph, unit, maker, cycles)


def _is_kind_first(cycle: Cycle) -> bool:
    return any(map(cycle.has, _KINDS)) and all(edge.need in _BETWEEN for edge in cycle.edges)


def _start(cycle: Cycle) -> Edge:
    return next(edge for edge in cycle.edges if edge.need in _KINDS)


def _finding(graph: Graph, unit: Thing, maker: Thing, cycles: list[Cycle]) -> Finding:
    chains = [cycle.turned(_start(cycle)) for cycle in cycles]
    chain = chains[0]
    kinds = list(dict.fromkeys(one[0].needs.name.partition("/")[2] for one in chains))
    kind = kinds[0]
    likely = any(edge.need is Need.LIKELY for edge in chain)
    certain = not likely and (graph.whole or chain[0].needs.name.partition("/")[0] not in _NETWORKS)
    whole = unit.kind == "Kustomization"
    others = f" (and {', '.join(kinds[1:])})" if kinds[1:] else ""
    return Finding(
        "R01",
        Severity.ERROR if certain else Severity.WARNING,
        f"{unit.label} {'probably ' if likely else ''}contains a {kind}{others}, whose CRD comes only after it: {tell(chain)}",
        chain[0].place,
        chain,
        why=f"While the kind {kind} is unknown nothing of {unit.label} is applied, and so {maker.label} never makes the CRD."
        if whole
        else f"Helm rejects a chart with a kind that is not known, or makes it without, and {maker.label} comes only after it.",
        instead=f"Move the {kind}{others} into a Kustomization of its own that depends on the one with {maker.label}."
        if whole
        else f"Let {maker.label} come before {unit.label}, or switch the {kind}{others} off in its values.",
        cut=cycles[0].cut(chain[0]),
        closed=True,
        also=(*chains[1:], *(other for cycle in cycles for other in cycle.others)),
        cause=f"{chain[0].place.file}:{chain[0].place.line} {chain[0].place.path}",  # for whichever cluster
    )
