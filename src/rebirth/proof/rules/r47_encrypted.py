"""An encrypted Secret that nothing decrypts.

What it finds:
    A Secret that SOPS has encrypted, in a Flux Kustomization without `spec.decryption`.

Why it cannot work:
    Flux sees that it is encrypted and applies nothing of the whole Kustomization: "configuring decryption is required".
    Decryption is not inherited: each Kustomization needs its own.

Example:
    The Kustomization of the cluster decrypts; the one for apps, which it applies, does not, and lists secret.sops.yaml.

Instead:
    `decryption: {provider: sops, secretRef: {name: sops-age}}` in that Kustomization.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r47_encrypted(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("encrypted"):
        yield Finding(
            "R47",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Flux applies nothing of a Kustomization that contains an encrypted Secret and does not decrypt.",
            instead=f"Add spec.decryption to {remark['unit']}.",
            cause="decryption",
        )
