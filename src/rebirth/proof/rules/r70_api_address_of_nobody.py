"""Nothing is known to have the address at which the Kubernetes API is reached.

What it finds:
    An endpoint whose address is a worker's, the gateway's, or inside the pod or Service network; and one that no control
    plane, no shared address (`vip`) of control planes, no static pod and no address pool of these files has.

Why it cannot work:
    Machines ask this address for their certificates and join there. Where nothing answers, the first control plane waits
    for itself, and so does the whole bootstrap.

Example:
    The endpoint is 192.168.50.10, and the patch with this shared address is missing, or was made for another address.

Instead:
    Take a control plane's own address, or let control planes share this one: `machines.shared_address`. Where an external load balancer has it, say so in `check.ignore`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r70_api_address_of_nobody(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("api-address"):
        yield Finding(
            "R70",
            Severity.ERROR if remark["certain"] else Severity.WARNING,
            remark.words,
            remark.place,
            why="Machines join through this address, and nothing answers there.",
            instead="Take a control plane's address, or let control planes share this one: machines.shared_address. "
            "If an external load balancer has it, ignore this finding with that reason.",
        )
