"""A Secret that is generated while the cluster comes up, and does not reach its reader.

What it finds:
    A Secret that is needed in one namespace, and that an operator makes in another, with nothing that copies it over; a
    container that reads such a Secret optionally into its environment, and is never restarted when it comes; a handover to
    Vault whose ExternalSecret reads something other than what is handed over.

Why it cannot work:
    Pods read only Secrets of their own namespace, and a Secret generated at run time is different in every cluster: a copy
    that was made by hand is wrong after the next rebuild. An environment is read once, when the container starts.

Example:
    A PostgresCluster in `database` makes `app-pguser-app`, and a Deployment in `web` names that Secret
    (CrunchyData/postgres-operator#2773).

Instead:
    Copy it: Reflector, an ExternalSecret through a store of the kubernetes provider, a handover to Vault; or put both into
    one namespace. Do not mark a required Secret as optional, or let Reloader restart the consumer.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.order import Order
from rebirth.proof.rules.unknowns import Chance, Unknowns
from rebirth.proof.things import Edge, Milestone, Thing

# Who makes Secrets while the cluster comes up; what a unit applies, or a store holds, is there by itself.
_APPLIED = {"Secret", "ConfigMap", "Kustomization", "HelmRelease", "phase", "Namespace"}
_KEPT_OUTSIDE = {"ExternalSecret", "VaultStaticSecret", "SealedSecret", "Issuer", "ClusterIssuer"}


def r23_generated_elsewhere(graph: Graph) -> Iterator[Finding]:
    unknowns = graph.about(Unknowns)
    for of, use, maker in generated_elsewhere(graph):
        born = maker.by
        yield Finding(
            "R23",
            Severity.WARNING if unknowns.chance(of, [use]) is Chance.FAIR else Severity.ERROR,
            f"{of.label} is needed by {use.by.label}, but is generated in {born.namespace}, and nothing copies it over",
            use.place,
            (use, maker),
            why="Pods read only Secrets of their own namespace, and this one is a new one in every cluster.",
            instead=f"Copy it from {born.namespace} to {of.namespace}, or put both into one namespace.",
        )
    yield from _never_restarted(graph)
    yield from _handed_over_in_vain(graph)


def _handed_over_in_vain(graph: Graph) -> Iterator[Finding]:
    """Handovers whose ExternalSecret does not read the property that they write."""
    for path, makers in list(graph.edges.items()):
        for made in makers if path.kind == "vault path" else ():
            if made.needs.kind != "handover":
                continue
            done = made.needs._replace(milestone=Milestone.READY)
            waited = next((edge for edge in graph.edges[done] if edge.needs.kind == "ExternalSecret"), None)
            written = {key for holding in graph.holdings[path] for key in holding.keys or ()}
            reads = {
                reading.key for reading in graph.readings if waited and (reading.by, reading.of) == (waited.needs, path)
            }
            whole = (
                waited and any(edge.needs == path for edge in graph.edges[waited.needs]) and not reads
            )  # all properties
            if waited is None or whole or reads & written or not _is_there(graph, waited.needs):
                continue
            yield Finding(
                "R23",
                Severity.ERROR,
                f"{made.needs.label} writes {', '.join(sorted(written))} to {path.label}, and {waited.needs.label} does not read that",
                waited.place,
                (waited, made),
                why="The ExternalSecret waits for the value that is handed over, and never gets it.",
                instead="Let `to` of the handover and `remoteRef` of the ExternalSecret name the same path and property.",
            )


def _is_there(graph: Graph, thing: Thing) -> bool:
    """Whether somebody makes the object; what is not there is another rule's."""
    return bool(graph.makers(thing._replace(milestone=Milestone.EXISTS)))


def generated_elsewhere(graph: Graph) -> Iterator[tuple[Thing, Edge, Edge]]:
    """Missing Secrets that something makes under the same name in another namespace: thing, who needs it, who makes it there."""
    needed = graph.needed_by()
    missing = [one for one in graph.missing() if one.kind == "Secret" and one.milestone is Milestone.MATERIALISED]
    if not missing:
        return
    born: dict[str, Edge] = {}
    for made in graph.made:
        if made.kind == "Secret" and made.milestone is Milestone.MATERIALISED:
            for edge in graph.makers(made):
                if edge.needs.kind not in _APPLIED | _KEPT_OUTSIDE and not edge.needs.kind.startswith("copy"):
                    born.setdefault(made.name, edge)
    for of in missing:
        if of.name in born and needed[of]:
            yield of, needed[of][0], born[of.name]


def _never_restarted(graph: Graph) -> Iterator[Finding]:
    order = graph.about(Order)
    for remark in graph.marked("optional"):
        of = Thing(remark["kind"], remark["namespace"], remark["name"], Milestone.MATERIALISED)
        makers = [edge for edge in graph.makers(of) if edge.needs.kind not in _APPLIED]
        if remark["how"] not in {"env", "envFrom"} or remark["reloads"] or not makers or remark.about is None:
            continue
        users = order.applied_by(remark.about)
        first = {unit for edge in makers for unit in order.units(edge.needs)}
        if any(unit != user and order.is_declared(user, unit) for user in users for unit in first):
            continue
        yield Finding(
            "R23",
            Severity.WARNING,
            f"{remark.about.label} starts without {of.label}, and is not restarted once {makers[0].needs.label} has made it",
            remark.place,
            (makers[0],),
            why="The environment is read once: a container that starts first never sees the Secret.",
            instead="Do not mark it as optional, let Reloader restart the pods, or let their unit depend on the maker's.",
        )
