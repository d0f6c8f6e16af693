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
from rebirth.proof.things import Remark


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
    yield from _without_key(graph)


def _without_key(graph: Graph) -> Iterator[Finding]:
    found: dict[str, list[Remark]] = {}
    for remark in graph.marked("no-key"):
        found.setdefault(remark["unit"], []).append(remark)
    # Its controllers may be given a key by an argument, which then stands where nothing is read.
    told = not any("flux" in unknown.what.rpartition("/")[2] for unknown in graph.unknowns)
    for unit, remarks in found.items():
        others = f" (and {len(remarks) - 1} more Secrets)" if len(remarks) > 1 else ""
        yield Finding(
            "R47",
            Severity.ERROR if told else Severity.WARNING,
            f"{remarks[0].words}{others}",
            remarks[0].place,
            why="Flux takes such a key from spec.decryption.secretRef alone, and applies nothing of a Kustomization that it cannot decrypt.",
            instead=f"Name the Secret with the key in spec.decryption.secretRef of {unit}.",
        )
