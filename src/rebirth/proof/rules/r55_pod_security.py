"""The pod security level of a namespace rejects the pods that are to run in it.

What it finds:
    Pods with host network, host ports, host paths, privileged containers or added capabilities in a namespace whose level
    (its label pod-security.kubernetes.io/enforce, or what Talos sets for all) does not allow that. Also the proxies that the
    Tailscale operator runs in its own namespace for Services that lead to a tailnet: they are privileged.

Why it cannot work:
    The workload is applied without an error, and then none of its pods is ever created: only an event of its ReplicaSet
    says that it is forbidden.

Example:
    A DaemonSet with `hostNetwork: true` in a namespace without a label, on Talos, which enforces `baseline` everywhere.

Instead:
    Label the namespace with pod-security.kubernetes.io/enforce: privileged, or let the pods ask for less.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Edge, Milestone, Need, Remark, Thing


def r55_pod_security(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("pod-security"):
        yield Finding(
            "R55",
            Severity.ERROR,
            remark.words,
            remark.place,
            _run_by(remark),
            why=f"The level {remark['level']} forbids it: no pod is created.",
            instead=f"Label the namespace {remark['namespace']} with pod-security.kubernetes.io/enforce: {remark['wanted']}.",
            cause=f"{remark['namespace']} {remark['wanted']}",
        )


def _run_by(remark: Remark) -> tuple[Edge, ...]:
    """Of pods that an operator runs for somebody."""
    if remark.about is None or not remark["operator"]:
        return ()
    operator = Thing("operator", "", remark["operator"], Milestone.READY)
    return (Edge(remark.about, operator, Need.WORKLOAD, remark.place, "runs the pods"),)
