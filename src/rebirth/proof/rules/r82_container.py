"""A container that cannot run.

What it finds:
    A probe that asks for a port by a name that the container does not have; memory or storage in thousandths of a byte
    (`memory: 128m`); processors in mebi (`cpu: 500Mi`); a mount of a volume that the pod does not have; a variable that is the amount of
    a container that the pod does not have.

Why it cannot work:
    The API server refuses the mount, and takes all others. The kubelet does not make a container whose variable has no value; it
    cannot ask a port that has no number, so the pod is never Ready. With a limit of less than a byte the container cannot even be
    made, and says so in words that do not mention the limit.

Example:
    `limits: {memory: 512m}` for 512 MiB (kubernetes/kubernetes#79950, hail-is/hail#8165).

Instead:
    Use the name under `ports`, or the number. `Mi` and `Gi` are units of memory and storage, `m` of processors.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r82_container(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("probe-port"):
        there = f": its ports are {remark['there']}" if remark["there"] else ""
        yield Finding(
            "R82",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="The probe never succeeds, so the pod is never Ready.",
            instead=f"Use the name of a port of the container, or its number{there}.",
        )
    for remark in graph.marked("no-such-volume"):
        there = f": its volumes are {remark['there']}" if remark["there"] else ""
        yield Finding(
            "R82",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="The API server refuses it.",
            instead=f"Use the name of a volume of the pod{there}.",
        )
    for remark in graph.marked("no-such-container"):
        yield Finding(
            "R82",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="The kubelet does not make the container: the pod stays in CreateContainerConfigError.",
            instead=f"Use the name of a container of the pod: {remark['there']}.",
        )
    for remark in graph.marked("amount"):
        limit = bool(remark["limit"])
        yield Finding(
            "R82",
            Severity.ERROR if limit else Severity.WARNING,
            remark.words,
            remark.place,
            why="The API server takes it, and no container starts with that."
            if limit
            else "The API server takes it, and next to nothing is reserved, or more than any machine has.",
            instead=f"Write {remark['instead']}.",
        )
