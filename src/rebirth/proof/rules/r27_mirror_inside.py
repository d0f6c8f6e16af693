"""An image mirror lives in the cluster that it feeds.

What it finds:
    `machine.registries.mirrors` sends pulls of a registry to a Service of this cluster, without falling back to the
    registry itself, and the mirror's own pods (or what they need) are pulled from that registry.

Why it cannot work:
    The mirror's image is pulled through the mirror, which does not run yet.

Example:
    A mirror that every node asks first is itself pulled through it (spegel-org/spegel#2).

Instead:
    Let containerd fall back to the registry (without `skipFallback`), or pull the mirror's image from another registry.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need


def r27_mirror_inside(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        start = cycle.first(Need.IMAGE)
        if start is None:
            continue
        chain = cycle.turned(start)
        yield Finding(
            "R27",
            Severity.ERROR,
            f"an image that the mirror needs is pulled through it: {tell(chain)}",
            start.place,
            chain,
            why="The node asks the mirror alone for this image, and the mirror runs only once the image is pulled.",
            instead="Remove skipFallback, or pull the mirror's own images from another registry.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
