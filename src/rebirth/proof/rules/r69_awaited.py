"""The castle waits for something that nothing makes.

What it finds:
    A site of `online.sites` that no Ingress or route serves; a Service, a Gateway, a workload, a Kustomization or an
    ExternalSecret that a phase, a handover or a site waits for, and which is in no file.

Why it cannot work:
    The castle is online, or a handover done, only when this is there. Nothing makes it, so `rebirth create` waits until it
    times out.

Example:
    `online.ingress` names the Service `traefik`, and the release calls it `traefik-external`.

Instead:
    Correct the name in castle.yaml, or add what is missing to the tree.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.unknowns import Chance, Unknowns
from rebirth.proof.things import Edge, Milestone, Thing

_OURS = {"phase", "handover", "site"}
# What else may be missing is reported by rules of its own.
_KINDS = {
    "route to",
    "Service",
    "Gateway",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Kustomization",
    "ExternalSecret",
    "ClusterSecretStore",
}


def r69_awaited(graph: Graph) -> Iterator[Finding]:
    unlisted = {remark.about.label for remark in graph.marked("orphan") if remark.about}  # told with the file (R14)
    missing = [one for one in graph.missing() if one.kind in _KINDS and one.label not in unlisted]
    needed = graph.needed_by()
    unknowns = graph.about(Unknowns)
    for thing in missing:
        for edge in _awaiting(thing, needed):
            what = f"a {thing.label}" if thing.kind == "route to" else thing.label
            yield Finding(
                "R69",
                Severity.ERROR if unknowns.chance(thing) is Chance.NONE else Severity.WARNING,
                f"{edge.by.label} waits for {what}, and nothing makes it",
                edge.place,
                (edge,),
                why="`rebirth create` waits for it until it times out.",
                instead="Correct the name in castle.yaml, or add what is missing to the tree.",
            )


def _awaiting(thing: Thing, needed: dict[Thing, list[Edge]]) -> Iterator[Edge]:
    """The needs of the castle's own steps, whichever milestone of the thing they wait for."""
    for milestone in Milestone:
        for edge in needed.get(thing._replace(milestone=milestone), ()):
            if edge.by.kind in _OURS:
                yield edge
