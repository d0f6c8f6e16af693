"""A name is used before the zone that serves it.

What it finds:
    A chain from something that needs a name (a secret store, a source, an issuer) through the zone that the cluster's DNS
    forwards, the nameserver that answers for it and the operator that runs the nameserver, back to where it began. And a
    name in the zone of Tailscale's nameserver that no Service leads out to, or in a tailnet to which no zone is forwarded.

Why it cannot work:
    The nameserver comes up only with data that is read by that name, and the name resolves only once the nameserver is up.
    Every part retries forever, and reports that it waits for the next one. Tailscale's nameserver answers only for the
    names of Services with `tailscale.com/tailnet-fqdn`.

Example:
    The Tailscale operator's OAuth Secret comes from a store whose server is a `ts.net` name; `ts.net` is forwarded to the
    nameserver that this operator deploys (tailscale/tailscale#10499 asks for the missing piece that makes such a zone
    resolve at all).

Instead:
    Place the Secret directly, before Flux runs; or let the store be reached by a name or address that the nodes know.
"""

from collections.abc import Iterator

from rebirth.proof.cycles import Cycle
from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need


def r25_name_before_zone(graph: Graph) -> Iterator[Finding]:
    # The way through the zone tells more than one through the objects that Flux applies.
    for cycle in sorted(graph.ways(), key=lambda way: not way.has(Need.ZONE)):
        start = next((edge for edge in cycle.edges if edge.needs.kind == "name"), None)
        if start is None or not _served_inside(cycle):
            continue
        chain = cycle.turned(cycle.first(Need.SECRET, Need.CREDENTIAL, Need.DECRYPTION) or start)
        yield Finding(
            "R25",
            Severity.ERROR,
            f"the name {start.needs.name} is needed before the zone that serves it: {tell(chain)}",
            start.place,
            chain,
            why="The name resolves only once its nameserver is up, and the nameserver comes up only with data that is read by this name.",
            instead="Place the Secret directly, before Flux runs, or reach the server by a name that the nodes know.",
            cut=cycle.cheapest,
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
    missing = {thing for thing in graph.missing() if thing.kind == "egress to"}
    for edge in graph.all_edges() if missing else ():
        if edge.needs in missing:
            users = graph.needed_by().get(edge.by, [])
            yield Finding(
                "R25",
                Severity.ERROR if graph.whole else Severity.WARNING,
                f"no Service leads out to {edge.needs.name}, so Tailscale's nameserver does not know the name",
                users[0].place if users else edge.place,
                (*users[:1], edge),
                why="Its nameserver answers only for names of Services with the annotation tailscale.com/tailnet-fqdn.",
                instead="Add such a Service of type ExternalName for this name.",
            )
    for remark in graph.marked("tailnet-name"):
        users = graph.needed_by().get(remark.about, []) if remark.about else []
        yield Finding(
            "R25",
            Severity.WARNING,
            remark.words,
            remark.place,
            tuple(users[:1]),
            why="Only resolvers of the tailnet know its names; those that the machines name are asked for the rest.",
            instead="Forward ts.net (engine.coredns.forwards) to the nameserver of a DNSConfig, or to one that knows the tailnet.",
        )


def _served_inside(cycle: Cycle) -> bool:
    """Whether the name waits for a server in the cluster, not only for an object that Flux applies."""
    return cycle.has(Need.ZONE) or any(edge.needs.kind == "egress to" for edge in cycle.edges)
