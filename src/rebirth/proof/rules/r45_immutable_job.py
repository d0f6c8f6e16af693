"""A Job that Flux can apply only once.

What it finds:
    A Job in a Flux Kustomization without `force`: neither on the Kustomization nor as an annotation on the Job.

Why it cannot work:
    It works the first time. The template of a Job cannot be changed: with the next version of its image the API server
    reports "field is immutable", and Flux applies nothing of the whole Kustomization any more. With ttlSecondsAfterFinished
    the Job is removed when it is done, and Flux runs it again at every interval.

Example:
    A migration Job whose image is kept up to date by a bot.

Instead:
    The annotation `kustomize.toolkit.fluxcd.io/force: enabled` on the Job, `ssa: IfNotPresent` if it is to run once, or a
    CronJob if it is to run again and again.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r45_immutable_job(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("immutable-job"):
        again = remark["ttl"]
        yield Finding(
            "R45",
            Severity.INFO if again else Severity.WARNING,
            f"{remark.about.label if remark.about else 'a Job'} is removed {again} s after it is done, and {remark['unit']} runs it again"
            if again
            else f"{remark.words}: its next version stops {remark['unit']}",
            remark.place,
            why="Flux creates missing objects again at every interval."
            if again
            else "The template of a Job is immutable, and Flux dry-runs a Kustomization as a whole.",
            instead="Annotate it with kustomize.toolkit.fluxcd.io/force: enabled, or with ssa: IfNotPresent if it is to run once.",
        )
