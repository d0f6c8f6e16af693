"""Every machine is kept out of load balancing.

What it finds:
    An address pool in a castle where each machine has the label `node.kubernetes.io/exclude-from-external-load-balancers`. Talos
    gives it to every control plane; workers have it only where a patch or `labels` says so.

Why it cannot work:
    MetalLB announces an address from no node with that label. A Service gets its address, and nobody answers there.

Example:
    Control planes only, and a patch that names the label without deleting it.

Instead:
    Leave the label to `create`: in a castle without workers it takes it away. A patch of your own has to delete it
    (`$patch: delete`). Or let MetalLB look past it: `speaker.ignoreExcludeLB: true` in its values.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r76_nobody_announces(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("nobody-announces"):
        yield Finding(
            "R76",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="MetalLB announces addresses from no node that is kept out of load balancing, so Services are not reached.",
            instead="Delete the label on one machine at least: `$patch: delete`. In a castle of control planes alone, "
            "`create` does so where no patch speaks of the label.",
        )
