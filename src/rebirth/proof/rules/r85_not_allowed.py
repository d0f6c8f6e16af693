"""A reference into another namespace that the other side does not allow.

What it finds:
    A secret of the Vault Secrets Operator that logs in with the VaultAuth of another namespace, whose `allowedNamespaces` do not
    name it; an ExternalSecret through a ClusterSecretStore whose `conditions` leave its namespace out.

Why it cannot work:
    The operator refuses it for good: the Secret is never made, and pods that read it wait.

Example:
    `vaultAuthRef: vault/apps` in the namespace `web`, and VaultAuth `vault/apps` without `allowedNamespaces`.

Instead:
    Name the namespace there, or let both stand in one.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Remark


def r85_not_allowed(graph: Graph) -> Iterator[Finding]:
    """One finding for each that does not allow."""
    found: dict[str, list[Remark]] = {}
    for remark in graph.marked("not-allowed"):
        found.setdefault(remark["of"], []).append(remark)
    for of, remarks in found.items():
        others = f" (and {len(remarks) - 1} more do)" if len(remarks) > 1 else ""
        yield Finding(
            "R85",
            Severity.ERROR,
            f"{remarks[0].words}{others}",
            remarks[0].place,
            why="It is refused for good, and its Secret is never made.",
            instead=f"Name the namespace in {remarks[0]['field']} of {of}.",
        )
