"""A field that the kind does not have.

What it finds:
    A custom resource with a field that its CRD's schema does not know, a value of another type or not among those allowed,
    a required field that is missing. The CRDs are those in the repository; for Flux's and External Secrets' own kinds also
    names that look like a field's name but are not one, durations without a unit, and an oci:// URL without `type: oci`.

Why it cannot work:
    Flux applies on the server's side: the API server rejects what its schema does not know ("field not declared in
    schema"), and Flux applies nothing of the whole Kustomization.

Example:
    `caSecret` in the Vault provider of a ClusterSecretStore, where the field is `caProvider`; `dependOn` in a
    Kustomization.

Instead:
    Use the field's own name; `kubectl explain` lists them.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity

_SLUGS = ("unknown-field", "wrong-type", "wrong-value", "missing-field")


def r48_unknown_field(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked(*_SLUGS):
        yield Finding(
            "R48",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="The API server rejects it, and Flux then applies nothing of the whole Kustomization.",
            instead="Correct it according to the kind's schema.",
        )
    for remark in graph.marked("oci-type"):
        yield Finding(
            "R48",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Flux takes the URL for one of an HTTP repository, and fetches nothing.",
            instead="Write `type: oci` under spec.",
        )
