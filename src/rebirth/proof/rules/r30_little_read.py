"""Little of the repository is read from where Flux seems to start.

What it finds:
    Fewer than a quarter of the YAML files with Kubernetes objects come out of the folders that were taken for clusters, and at least
    twenty do not. Not if the folders were named with `--cluster`.

Why it cannot work:
    What is not read is not proved. Where the start was guessed wrong, the rest of the report says nothing of the real bootstrap.

Example:
    The root is in another repository, `flux bootstrap` was not run yet, or the root's path contains a variable.

Instead:
    Name the folders that Flux is pointed at: `rebirth check --gitops . --cluster clusters/production`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r30_little_read(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("little-read"):
        yield Finding(
            "R30",
            Severity.WARNING,
            remark.words,
            remark.place,
            why="What is not read is not proved.",
            instead="If Flux starts elsewhere, name the folder that it is pointed at with --cluster.",
        )
