"""A field, or a kind, that does not exist.

What it finds:
    A field that the schema of the kind does not know, a value of another type or not among those allowed, a required field
    that is missing; a kind that its group does not have, or no longer serves in that version. The schemas are those of the
    CRDs in the repository and its charts, else those of Kubernetes and of common operators that come with Rebirth. Also
    names, labels and keys that no object can have, durations without a unit, an oci:// URL without `type: oci`, and values that the chart's version
    rejects, or does not work with; those of charts that are installed before Flux, too. What only another version of the operator could know is
    a warning, and so is a field that Flux leaves out of a kind of Kubernetes itself before it applies the object.

Why it cannot work:
    Flux applies on the server's side: the API server rejects what its schema does not know ("field not declared in
    schema"), and Flux applies nothing of the whole Kustomization.

Example:
    `caSecret` in the Vault provider of a ClusterSecretStore, where the field is `caProvider`; `dependOn` in a
    Kustomization; `kind: Deploymnet`; `storage: 10GB`.

Instead:
    Use the field's own name; `kubectl explain` lists them.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Remark

_PATTERN = " must match "  # in words that nobody likes to read
_REFUSED = "The API server rejects it, and Flux then applies nothing of the whole Kustomization."
_SLUGS = ("unknown-field", "wrong-type", "wrong-value", "wrong-format", "missing-field")


def r48_unknown_field(graph: Graph) -> Iterator[Finding]:
    reported = {remark.place for remark in graph.marked("not-text", "misplaced")}  # R42
    reported |= {remark.place for remark in graph.marked("undefined-variable")}  # R43
    refused = {
        remark.place: remark.words for remark in graph.marked("invalid") if not (remark["unless"] or remark["why"])
    }  # R49
    for remark in graph.marked(*_SLUGS):
        if remark.place not in reported:
            better = refused.get(remark.place, "") if _PATTERN in remark.words or not remark["sure"] else ""
            sure = bool(remark["sure"] or better)
            yield Finding(
                "R48",
                Severity.ERROR if sure else Severity.WARNING,
                better or remark.words,
                remark.place,
                why=_REFUSED if better else _why(remark),
                instead="Correct it according to the kind's schema.",
            )
    for remark in graph.marked("lost-field"):
        if remark.place not in reported:
            yield Finding(
                "R48",
                Severity.WARNING,
                remark.words,
                remark.place,
                why="Flux leaves out what this kind does not have, without a word: it has no effect.",
                instead="Use the field's own name, in its own block.",
            )
    for remark in graph.marked("unknown-kind"):
        sure = bool(remark["sure"])
        yield Finding(
            "R48",
            Severity.ERROR if sure else Severity.WARNING,
            remark.words,
            remark.place,
            why="The API server does not serve it, and Flux then applies nothing of the whole Kustomization."
            if sure
            else f"{remark['read']} does not serve it; another version may.",
            instead="Write the kind and its apiVersion as the cluster serves them; `kubectl api-resources` lists them.",
            cause=_serves(remark),
        )
    for remark in graph.marked("rejected-value"):
        yield Finding(
            "R48",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Each is of no use without the other: what the chart makes does not run."
            if remark["needs"]
            else "The chart's own templates fail with it: nothing of the release is installed.",
            instead=f"Set {remark['needs']}, too."
            if remark["needs"]
            else "Write what this version of the chart takes; its upgrade notes say what became of the value.",
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


def _why(remark: Remark) -> str:
    if not remark["sure"]:
        return f"{remark['read']}, whose schema this was compared with, rejects it; another version may not."
    if remark["strict"]:
        return f"{remark['strict']} reads this kind strictly: it rejects the object, and makes nothing of it."
    return _REFUSED


def _serves(remark: Remark) -> str:
    """Objects of one kind that is not served are one cause, in however many clusters they are."""
    return remark.words.partition(": ")[2]
