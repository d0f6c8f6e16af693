"""A claim names a volume that is not what it asks for.

What it finds:
    A PersistentVolumeClaim with `volumeName` whose class, size, volume mode or access modes are not those of the
    PersistentVolume. Or the volume is for another claim: by its own `claimRef`, or because another names it, too. Without `volumeName`: a claim of a class that nothing has, beside the only volume of its file, which no claim asks for.

Why it cannot work:
    Kubernetes compares both before it binds them ("storageClassName does not match"): the claim stays Pending, and with
    it every pod that mounts it.

Example:
    `storageClassName: podscasts` in the claim, `podcasts` in the volume.

Instead:
    Write the same class, and access modes that the volume has.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r99_unlike_volume(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("unlike-volume"):
        yield Finding(
            "R99",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Kubernetes does not bind them: the claim stays Pending.",
            instead="Write in the claim what the volume has.",
        )
