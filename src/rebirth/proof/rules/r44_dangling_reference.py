"""A source or chart that nothing makes.

What it finds:
    A `sourceRef` or `chartRef` that names a GitRepository, OCIRepository, HelmRepository, HelmChart, Bucket or
    ExternalArtifact which does not exist: another kind, another namespace, a typo. Also an OCIRepository at an address where the
    publisher of a known chart does not have it.

Why it cannot work:
    Flux looks for the source forever: "Source not found". Nothing of the Kustomization or release is ever applied.

Example:
    sourceRef {kind: GitRepository, name: apps} where there is an OCIRepository `apps`.

Instead:
    Correct kind, name or namespace. Without a castle, sources that are applied by hand are not known: then this is a
    warning, unless a source of almost that name exists.
"""

from collections import Counter
from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.slips import is_slip
from rebirth.proof.rules.unknowns import Chance, Unknowns
from rebirth.proof.things import Edge, Milestone, Need, Place, Thing

_KINDS = ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact")
_FETCHED = frozenset({Need.SOURCE, Need.CHART})
# So many sources are made for one that is missing where a repository makes them itself: then nobody makes that one by hand.
_MANY = 4


def r44_dangling_reference(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("no-such-chart"):
        yield Finding(
            "R44",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="The registry has nothing of that name: the source is never Ready, and nothing is installed from it.",
            instead="Write the address at which it is published.",
        )
    missing = {thing for thing in graph.missing() if thing.kind in _KINDS}
    if not missing:
        return
    sources = [t for t in graph.things if t.kind in _KINDS and t.milestone is Milestone.EXISTS and t not in missing]
    forgotten = len(sources) >= _MANY * len(missing)
    sources += [t for t in graph.starts if t.kind in _KINDS and t.milestone is Milestone.READY]  # Flux' own
    users: dict[Thing, list[Edge]] = {}
    used: set[str] = set()
    broken = {remark.place.file for remark in graph.marked("duplicate-key")}  # what is built of these nobody knows
    for edge in graph.all_edges():
        if edge.need not in _FETCHED or (edge.place.file in broken and not edge.by.namespace):
            continue
        used.add(edge.needs.label)
        source = edge.needs._replace(milestone=Milestone.EXISTS)
        if source not in missing or edge.by.label == source.label:
            continue
        users.setdefault(source, []).append(edge)
    unknowns = graph.about(Unknowns)
    unlisted = {remark.about.label for remark in graph.marked("orphan") if remark.about}  # told by R14
    homeless = {(one.kind, one.name) for one in sources if not one.namespace}  # told by R46, or its build fails
    for source, edges in users.items():
        if (source.kind, source.name) in homeless or source.label in unlisted:
            continue
        beside = source._replace(namespace=edges[0].by.namespace)  # and nobody uses that: it is what was meant
        meant = beside in sources and beside.label not in used
        if (chance := unknowns.chance(source, edges)) is not Chance.FAIR or meant:
            known = graph.whole or (forgotten and _is_strange(graph, source, edges, missing))
            yield _finding(edges, source, sources, sure=known and chance is Chance.NONE)


def _is_strange(graph: Graph, source: Thing, edges: list[Edge], missing: set[Thing]) -> bool:
    """What Kustomizations come from may be the repository itself, as whoever set Flux up has called it: not where the source of
    many others is made here, or is that one.
    """
    if all(edge.by.kind == "HelmRelease" for edge in edges):
        return True
    others = Counter(
        existing
        for edge in graph.all_edges()
        if edge.need is Need.SOURCE and edge.by.kind == "Kustomization" and edge.needs.kind == source.kind
        and (existing := edge.needs._replace(milestone=Milestone.EXISTS)) not in missing
    )  # fmt: skip
    most = max(others, key=others.__getitem__, default=None)
    return (
        most is not None
        and others[most] >= _MANY * len(edges)
        and (bool(graph.makers(most)) or most._replace(milestone=Milestone.READY) in graph.starts)
    )


def _finding(edges: list[Edge], source: Thing, sources: list[Thing], *, sure: bool) -> Finding:
    edge = edges[0]
    others = f" (and {len(edges) - 1} more do)" if len(edges) > 1 else ""
    near = [other for other in sources if other.name == source.name]
    near.sort(key=lambda other: other.kind != source.kind)
    near += [other for other in sources if other[:2] == source[:2] and is_slip(source.name, other.name)]
    hint = f"; there is {near[0].label}" if near else ""
    return Finding(
        "R44",
        Severity.ERROR if near or sure else Severity.WARNING,
        f"{edge.by.label} comes from {source.label}{others}, which nothing makes{hint}",
        _to_edit(edge, near[0]) if near else edge.place,
        (edge,),
        why="Nothing is applied from a source that does not exist.",
        instead=f"Name {near[0].label}." if near else "Correct kind, name or namespace, or add the source.",
    )


def _to_edit(edge: Edge, near: Thing) -> Place:
    """The kind, where that is what differs from the source that is there."""
    path = edge.place.path
    if near.name == edge.needs.name and near.kind != edge.needs.kind and path[-1:] == ("name",):
        return edge.place._replace(path=(*path[:-1], "kind"))
    return edge.place
