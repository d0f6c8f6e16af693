"""A namespaced object without a namespace.

What it finds:
    An object of a namespaced kind, in a Flux Kustomization, without a namespace: neither its own, nor from a
    kustomization.yaml, nor from targetNamespace.

Why it cannot work:
    Flux has no default namespace: it reports "namespace not specified" and applies nothing of the whole Kustomization.
    `kubectl apply` took the one of the context, so it worked by hand.

Example:
    A ConfigMap without metadata.namespace in a folder that a Kustomization without targetNamespace applies.

Instead:
    Write the namespace, once: in the kustomization.yaml, or as targetNamespace.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r46_no_namespace(graph: Graph) -> Iterator[Finding]:
    broken = {remark.place.file for remark in graph.marked("duplicate-key")}  # what is built of these nobody knows
    for remark in graph.marked("no-namespace"):
        if remark.place.file in broken:
            continue
        yield Finding(
            "R46",
            Severity.ERROR,
            f"{remark.words}: {remark['unit']} is rejected",
            remark.place,
            why="Flux knows no default namespace, and applies nothing of a Kustomization with such an object.",
            instead="Write `namespace:` in the kustomization.yaml, or targetNamespace in the Kustomization.",
            cause=remark["unit"],
        )
