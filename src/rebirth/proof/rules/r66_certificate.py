"""A certificate in a file that does not parse, has expired, or soon will.

What it finds:
    PEM in a ConfigMap, a Secret, a `caBundle` or a chart's values that is not a certificate, has expired, or expires within
    a month.

Why it cannot work:
    Clients reject it, or everything that it has signed. One that expires within a month works today. Without a castle it is a warning,
    too, in a ConfigMap or Secret that pods alone read: they start, and only what they ask may fail.

Example:
    A `caBundle` still has the CA of a Vault that was rebuilt since.

Instead:
    Put the current certificate there, whole, from BEGIN to END.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Thing

_READ_BY_PODS = frozenset({"ConfigMap", "Secret"})
_RUN = frozenset(
    {"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Kustomization", "HelmRelease"}
)


def r66_certificate(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("certificate-unsound", "certificate-ends-soon"):
        over = remark.slug == "certificate-unsound"
        stops = over and (
            graph.whole
            or remark.about is None
            or remark.about.kind not in _READ_BY_PODS
            or _is_trusted(graph, remark.about)
        )
        yield Finding(
            "R66",
            Severity.ERROR if stops else Severity.WARNING,
            remark.words,
            remark.place,
            why="Clients reject it, and everything it has signed."
            if over
            else "Then it is rejected, with everything it has signed.",
            instead="Put the current certificate there.",
        )


def _is_trusted(graph: Graph, of: Thing) -> bool:
    """Whether something that Flux may wait for, such as a store, trusts what stands in it."""
    return any(
        edge.needs[:3] == of[:3] and edge.by.kind not in _RUN and edge.by[:3] != of[:3] for edge in graph.all_edges()
    )
