"""A Service, Ingress or route that leads nowhere.

What it finds:
    A Service whose selector no pod of the repository has, although a workload beside it is of the same name or has the same
    label with another value; a `targetPort` that no container behind the Service has; an Ingress or route to a Service that
    nothing makes, or to a port that the Service does not have. Also a Service that a container's variables, arguments or command
    name in full (`name.namespace.svc:port`), in a namespace where nothing that is not known may make it; and, as an error, a store of
    External Secrets whose server is a Service that is made in another namespace.

Why it cannot work:
    Each of these objects is valid, so the API server takes it, and Flux calls it Ready. The Service has no endpoints, and who
    asks for the application gets "no route", 503 or a refused connection.

Example:
    `selector: {app: website}` in front of pods that have the label `app: web`; `targetPort: web` where the container's port
    is called `http`.

Instead:
    Use the same label, name and port on both sides. The port of an Ingress is the Service's `port`, not its `targetPort`.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.slips import is_slip
from rebirth.proof.rules.unknowns import Chance, Unknowns
from rebirth.proof.things import Milestone, Remark, Thing


def r81_leads_nowhere(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("selects-nothing"):
        yield _finding(
            remark,
            "A Service sends what it gets to pods that have all labels of its selector; without one nobody answers.",
            f"Correct spec.selector, or the labels: the pods of {remark['near']} have {remark['labels']}.",
        )
    for remark in graph.marked("no-such-port"):
        there = f"; there is {remark['there']}" if remark["there"] else ""
        yield _finding(
            remark, "Nothing listens there, so the connection is refused.", f"Use the port's own name or number{there}."
        )
    for remark in graph.marked("store-of-nobody"):
        service = Thing("Service", remark["namespace"], remark["name"], Milestone.EXISTS)
        others = {
            one.namespace
            for one in graph.made
            if (one.kind, one.name) == (service.kind, service.name) and graph.makers(one)
        }
        if len(others) == 1 and not _made(graph, remark, Chance.FAIR):
            yield Finding(
                "R81",
                Severity.ERROR,
                f"{remark.words}; there is {service._replace(namespace=min(others)).label}",
                remark.place,
                why="The store never becomes valid, and none of the Secrets that are read from it is made.",
                instead=f"Name the namespace {min(others)}.",
            )
    for remark in graph.marked("no-such-service"):
        beside = remark["there"].split(", ")
        near = get_close_matches(remark["name"], beside, 1)
        unseen = remark["operators"] or _made(graph, remark)
        if not unseen or any(is_slip(remark["name"], other) for other in beside):
            meant = f"Did you mean {near[0]}?" if near else "Correct the name, or add the Service."
            yield _finding(remark, "Who asks for this host or path gets an error.", meant)


def _finding(remark: Remark, why: str, instead: str) -> Finding:
    return Finding("R81", Severity.WARNING, remark.words, remark.place, why=why, instead=instead)


def _made(graph: Graph, remark: Remark, least: Chance = Chance.SLIM) -> bool:
    """Whether something makes such a Service, or may, as far as files tell."""
    service = Thing("Service", remark["namespace"], remark["name"], Milestone.EXISTS)
    made = any(graph.makers(service._replace(milestone=milestone)) for milestone in Milestone)
    return made or service in graph.starts or graph.about(Unknowns).chance(service) >= least
