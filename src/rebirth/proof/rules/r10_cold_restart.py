"""After a power cycle a webhook and the pods that it depends on wait for each other.

What it finds:
    A webhook with `failurePolicy: Fail` that matches pods, and among them pods without which its own server does not
    answer.

Why it cannot work:
    etcd keeps the webhook's configuration. After a restart of the whole cluster every pod that has to be created again
    (nodes that shut down gracefully end theirs) has to pass the webhook, whose server is one of them, or needs one of them:
    none is created. On a first boot it worked, because the configuration came last.

Example:
    Kyverno on a cluster that is stopped over the weekend (kyverno/kyverno#16177).

Instead:
    Leave the namespaces of the server, and of what it needs, out of the webhook (`namespaceSelector`), or let it fail open
    (`failurePolicy: Ignore`).
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need, Scope


def r10_cold_restart(graph: Graph) -> Iterator[Finding]:
    if not graph.of_need(Need.WEBHOOK):
        return
    for cycle in graph.ways(Scope.COLD_RESTART):
        start = cycle.first(Need.WEBHOOK)
        if start is None:
            continue
        chain = cycle.turned(start)
        yield Finding(
            "R10",
            Severity.ERROR,
            f"after a power cycle {start.by.label} and {start.needs.label} wait for each other: {tell(chain)}",
            start.place,
            chain,
            why="The webhook's configuration is still there, its server is not, so no pod that it matches is created.",
            instead="Leave the namespaces of the webhook's server, and of what it needs, out of its namespaceSelector.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
            scope=Scope.COLD_RESTART,
        )
