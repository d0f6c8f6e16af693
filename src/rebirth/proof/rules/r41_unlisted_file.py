"""A manifest beside a kustomization that does not list it.

What it finds:
    A file with Kubernetes objects in a folder with a kustomization.yaml that is built, and that names it nowhere: not as a
    resource, patch or file of a generator, nor in a comment.

Why it cannot work:
    It may be intended. But a file that is in no list is not applied, and nothing reports it: it looks as alive as those
    beside it.

Example:
    secrets.yaml is beside grafana.yaml, and only grafana.yaml is listed: no Secret is ever made.

Instead:
    List it, or remove it. To keep it on purpose, comment it out in the kustomization: `# - secrets.yaml`. If something
    needs what it would make, R14 reports that, with the whole chain.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Listed, Severity


def r41_unlisted_file(graph: Graph) -> Iterator[Finding]:
    needed = {remark["file"] for remark in graph.marked("orphan")}
    for remark in graph.marked("unlisted"):
        if remark["out"] or remark.place.file in needed:
            continue
        yield Finding(
            "R41",
            Severity.WARNING,
            remark.words,
            remark.place,
            why="A file that no kustomization lists is not applied.",
            instead=f"List {remark['entry']} under `patches`, or remove it."
            if remark["patch"]
            else f"List {remark['entry']}, remove it, or comment it out in the kustomization.",
            fixes=() if remark["patch"] else (Listed(remark["kustomization"], remark["entry"]),),
        )
