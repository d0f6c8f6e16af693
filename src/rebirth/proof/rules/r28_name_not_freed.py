"""A name on the tailnet that is not freed before it is taken.

What it finds:
    A machine or the Tailscale operator takes a name on the tailnet that `tailscale.names` does not list. Whether a stale
    device holds it now is checked by the phase `free_names`, only for the names in that list.

Why it cannot work:
    A device of an earlier castle keeps its name until it is removed: only an ephemeral one goes by itself, and devices of the
    Tailscale operator are not ephemeral. The new one becomes `name-1`, and whatever asks for the
    name gets the dead one. On a tailnet without such a device it works.

Example:
    A node that is created again with the same hostname (tailscale/tailscale#4943).

Instead:
    List the name in `tailscale.names`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r28_name_not_freed(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("name-not-freed"):
        yield Finding(
            "R28",
            Severity.WARNING,
            remark.words,
            remark.place,
            why="A stale device with this name makes the new one `name-1`, and the name leads to the dead device.",
            instead="List the name in tailscale.names.",
        )
