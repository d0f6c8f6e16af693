"""An object has to pass a webhook whose server starts only after it.

What it finds:
    An object that matches a webhook with `failurePolicy: Fail`, in a unit without which the webhook's own server does not
    start: in the same chart after the webhook's configuration, or in a unit that the server waits for.

Why it cannot work:
    The API server rejects the object while the webhook does not answer, and the webhook does not answer before the object
    (and everything applied with it) has been accepted.

Example:
    A chart that wraps MetalLB and brings an IPAddressPool: Helm 4 applies the pool after the webhook's configuration,
    seconds before the controller runs (metallb/metallb#3133, metallb/metallb#1597; external-secrets/external-secrets#1378).

Instead:
    Put the objects into a unit of their own that depends on the one with the server, which waits for it (`wait: true`).
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need


def r04_webhook_before_server(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        start = cycle.first(Need.WEBHOOK)
        if start is None:
            continue
        chain = cycle.turned(start)
        yield Finding(
            "R04",
            Severity.ERROR,
            f"{start.by.label} has to pass {start.needs.label}, whose server comes only after it: {tell(chain)}",
            start.place,
            chain,
            why="The API server rejects the objects that the webhook matches until it answers, and it answers only once they have been accepted.",
            instead="Apply the objects that the webhook matches from a unit that depends on the one with the webhook's server.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
