"""Flux's own manifests are not in the repository: create needs the program `flux`.

What it finds:
    A castle whose repository has no folder `flux-system` below `gitops.path`.

Why it cannot work:
    It works where `flux` is on PATH: then Flux is installed in the version that this program has. On a machine without it
    `rebirth create` stops before anything is made, and on another machine another version may be installed.

Example:
    A repository that was never bootstrapped with `flux bootstrap`, which would have committed its manifests.

Instead:
    `flux install --export > PATH/flux-system/gotk-components.yaml`, and commit it; or install the program `flux`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r71_flux_program(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("no-flux-manifests"):
        yield Finding(
            "R71",
            Severity.WARNING,
            f"{remark.words}: create needs the program `flux` on PATH",
            remark.place,
            why="Flux is then installed by that program, in the version on this machine.",
            instead="Commit the output of `flux install --export` as flux-system/gotk-components.yaml there, or install flux.",
        )
