"""A Vault or OpenBao that nobody unseals.

What it finds:
    A Vault or OpenBao that runs in the cluster, without a `seal` stanza that lets it unseal itself, and without a program in
    the repository that does it.

Why it cannot work:
    It is sealed after each start, the first one and each power cycle, and answers nobody until a person has unsealed it: its
    pods are not Ready, and stores that read through it are not valid. The cluster comes up only by hand.

Example:
    A power cut at night, and every ExternalSecret in error until the keys are entered in the morning.

Instead:
    Configure auto-unseal (`seal "transit"`, a cloud's key service, OpenBao's `seal "static"`), or run a program that unseals.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r98_nobody_unseals(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("sealed-store"):
        yield Finding(
            "R98",
            Severity.WARNING,
            f"{remark.words}, and nothing unseals it",
            remark.place,
            why="It answers nobody until a person has unsealed it, after a power cycle as on the first boot.",
            instead="Configure auto-unseal (a `seal` stanza), or run what unseals it.",
        )
