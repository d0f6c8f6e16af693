"""YAML that means something other than it seems to.

What it finds:
    A number or boolean where Kubernetes accepts only strings: environment, labels, data of a ConfigMap, arguments. A
    duplicate key in a mapping. Fields of `spec` that slipped under `metadata`, or to the top of the object.

Why it cannot work:
    The API server rejects `value: 8080` in an environment and `ready: true` in a ConfigMap, and with it everything that
    Flux applies together with it. Of an object's own labels Flux drops all where one is no string, and applies the rest:
    that is a warning. Its own annotations kustomize quotes. kustomize rejects a duplicate key; in a kustomization.yaml
    itself the first one is silently lost. Variables make numbers, too: Flux parses the text again after substitution, and
    quotes that kustomize did not need are gone by then. An unknown field of a custom resource is rejected; of Kubernetes'
    own kinds Flux leaves it out without a word, so what stands there has no effect: that is a warning.

Example:
    `replicas: 2` indented under metadata, or `"${PORT}"` in an environment.

Instead:
    Quote the value; for variables put the quotes inside the variable's value, or add a letter. Indent the field into its
    block.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Remark

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def r42_yaml_traps(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("not-text"):
        yield Finding(
            "R42",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="The API server rejects it, and Flux then applies nothing of the whole Kustomization.",
            instead="Move it to the block that it belongs to; mostly that is `spec`."
            if remark["what"] in {"a mapping", "a list"}
            else "Put it in quotes. Where it comes from a variable, quotes have to be in the variable's value.",
        )
    for remark in graph.marked("labels-lost"):
        yield Finding(
            "R42",
            Severity.WARNING,
            remark.words,
            remark.place,
            why="Flux then leaves out all labels of the object, and applies it with its own alone: what selects by them finds nothing.",
            instead="Put it in quotes. Where it comes from a variable, quotes have to be in the variable's value.",
        )
    for remark in graph.marked("misplaced"):
        lost = bool(remark["lost"])
        yield Finding(
            "R42",
            Severity.WARNING if lost else Severity.ERROR,
            remark.words,
            remark.place,
            why="Flux leaves out what this kind does not have, without a word: it has no effect."
            if lost
            else "The API server rejects unknown fields, and Flux then applies nothing of the whole Kustomization.",
            instead="Move it to the block that it belongs to; mostly that is `spec`.",
        )
    for remark in graph.marked("duplicate-key"):
        yield _twice(remark)


def _twice(remark: Remark) -> Finding:
    name = remark.place.file.rpartition("/")[2]
    if name in _KUSTOMIZATIONS:
        return Finding(
            "R42",
            Severity.WARNING,
            f"duplicate key {remark['key']} in {name}: only the last one counts",
            remark.place,
            why="Nothing that the first one lists is applied.",
            instead="Merge both lists.",
        )
    return Finding(
        "R42",
        Severity.ERROR,
        f"duplicate key {remark['key']} in {name}",
        remark.place,
        why="kustomize rejects the file, so Flux applies nothing of the Kustomization.",
        instead="Merge both, or remove one.",
    )
