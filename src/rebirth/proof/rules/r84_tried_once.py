"""A release that is tried once, for a few minutes, and on which others hang.

What it finds:
    A HelmRelease without retries (which is Flux's default) and without more time than the usual five minutes, while another unit
    depends on it, or on the Kustomization that waits for it.

Why it cannot work:
    It mostly does. On new machines every image is pulled over the same line, nodes and volumes are still coming up, and five
    minutes are soon over. Then the release has failed for good ("exceeded maximum retries"): helm-controller does not look again
    before somebody changes it, and whatever depends on it is never applied.

Example:
    An operator without `install.remediation`, in a Kustomization with `wait: true` that the edge depends on (fluxcd/flux2#5592).

Instead:
    `install.strategy.name: RetryOnFailure` (since Flux 2.7), or `install.remediation.retries: -1`; or a longer `timeout`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Edge, Milestone, Need, Thing


def r84_tried_once(graph: Graph) -> Iterator[Finding]:
    """One finding in all: one setting, written once as a patch, heals them."""
    needed = graph.needed_by()
    found = [
        (remark, chain)
        for remark in graph.marked("tried-once")
        if remark.about and (chain := _behind(remark.about, needed))
    ]
    if not found:
        return
    remark, chain = found[0]
    others = f" (and {len(found) - 1} more such)" if len(found) > 1 else ""
    yield Finding(
        "R84",
        Severity.WARNING,
        f"{remark.words}, and {chain[0].by.label} comes only after it{others}",
        remark.place,
        chain,
        why="With cold images five minutes are soon over; then the release has failed for good, and nothing behind it is applied.",
        instead="Set install.strategy.name: RetryOnFailure (Flux 2.7), or install.remediation.retries: -1, or a longer timeout.",
    )


def _behind(ready: Thing, needed: dict[Thing, list[Edge]]) -> tuple[Edge, ...]:
    """The edges from a unit that depends on the release, or on the Kustomization that waits for it."""
    for edge in needed.get(ready, ()):
        if edge.need is Need.DEPENDS_ON:
            return (edge,)
        if edge.need is Need.HEALTH and edge.by.kind == "Kustomization" and edge.by.milestone is Milestone.READY:
            behind = next((one for one in needed.get(edge.by, ()) if one.need is Need.DEPENDS_ON), None)
            if behind:
                return (behind, edge)
    return ()
