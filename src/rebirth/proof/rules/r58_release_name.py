"""A Helm release has another name than its users expect.

What it finds:
    A HelmRelease with targetNamespace and without releaseName, while something refers to what it makes under the
    HelmRelease's own name.

Why it cannot work:
    Flux then calls the release `<targetNamespace>-<name>`, and charts name their Services and labels after the release: the
    Ingress, selector or address that was written for `<name>` leads nowhere.

Example:
    HelmRelease `traefik` with `targetNamespace: ingress` becomes the release `ingress-traefik`, and the castle waits for
    the Service `ingress/traefik`.

Instead:
    Set releaseName.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r58_release_name(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("release-name"):
        yield Finding(
            "R58",
            Severity.WARNING,
            remark.words,
            remark.place,
            why=f"Without releaseName the release is called {remark['called']}, and so is what its chart makes.",
            instead=f"Set releaseName: {remark['name']}.",
        )
