"""A pod that Helm waits for needs what a hook makes after the wait.

What it finds:
    A chart whose workload mounts or reads a Secret, a ConfigMap or another object that its own `post-install` hook makes.

Why it cannot work:
    Flux lets Helm wait until all workloads are Ready, and only then come the post-install hooks. The pods wait for the
    hook, the hook for the pods, until the time-out; then the release is rolled back and starts again.

Example:
    A controller whose webhook certificate comes from a post-install hook (openchoreo/openchoreo#1055).

Instead:
    Make the hook `pre-install`, or mark the volume `optional: true`, or set `install.disableWait: true`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Milestone, Need


def r11_hook_after_wait(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        # The moment between wait and hooks is a thing of its own (`sources.helm`): the release SERVES.
        turn = next(
            (e for e in cycle.edges if e.needs.kind == "HelmRelease" and e.needs.milestone is Milestone.SERVES), None
        )
        if turn is None and not cycle.has(Need.HOOK):
            continue
        start = turn or cycle.first(Need.HOOK)
        if start is None:
            continue
        chain = cycle.turned(start)
        yield Finding(
            "R11",
            Severity.ERROR,
            f"{start.by.label} is made by a hook that runs only after what needs it is Ready: {tell(chain)}",
            start.place,
            chain,
            why="Post-install hooks run when all workloads of the release are Ready, and one of them waits for the hook.",
            instead="Make the hook pre-install, or the volume optional, or set install.disableWait.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
