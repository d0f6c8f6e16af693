"""The pods of a release are asked whether they are ready only when Helm has given up.

What it finds:
    A HelmRelease whose pods have a startup or readiness probe with an initialDelaySeconds that is longer than one attempt to
    install may take (install.timeout, else timeout, else five minutes).

Why it cannot work:
    Until then the pods are not Ready, so the attempt fails. It is then left as failed, or uninstalled and begun anew, with new
    pods that have to wait as long again.

Example:
    A database chart with `initialDelaySeconds: 600`, and no timeout.

Instead:
    Raise the timeout above the delay, or use a startupProbe with a failureThreshold in place of a delay.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r97_asked_too_late(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("asked-too-late"):
        of = remark.about.label if remark.about else ""
        yield Finding(
            "R97",
            Severity.ERROR,
            f"{remark.words}, and one attempt to install {of} takes {remark['limit']} s at most",
            remark.place,
            why="Each attempt is over before the pods can be Ready.",
            instead=f"Raise spec.timeout of {of}, or ask earlier.",
        )
