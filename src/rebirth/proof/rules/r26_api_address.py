"""The address of the Kubernetes API is assigned by something that needs the API.

What it finds:
    The endpoint is an address of a pool that MetalLB (or the like) hands out, or one that pods announce which are started
    through the API.

Why it cannot work:
    Machines reach the API only at the endpoint; before it answers, no pod is started that could announce the address.

Example:
    kube-vip as a DaemonSet announces the endpoint's address (kube-vip/kube-vip#684).

Instead:
    Take a control plane's own address, Talos' shared address (a patch with the `vip` of an interface under
    `talos.control_plane_patches`), a static pod, or a load balancer outside.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need


def r26_api_address(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        start = next((e for e in cycle.edges if e.by.kind == "Kubernetes API" and e.need is Need.ADDRESS), None)
        if start is None:
            continue
        chain = cycle.turned(start)
        yield Finding(
            "R26",
            Severity.ERROR,
            f"the address of the Kubernetes API comes from something that needs the API: {tell(chain)}",
            start.place,
            chain,
            why="The API is reached only at this address, and nothing is started before it answers.",
            instead="Take a control plane's address, Talos' shared address, or a load balancer outside the cluster.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
