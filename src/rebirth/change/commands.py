"""What is ahead of a castle: `plan`."""

import sys
from typing import Annotated

import typer

from rebirth.terminal import plugins
from rebirth.terminal.options import (
    HERE,
    Castle,
    Clusters,
    GitOps,
    InLab,
    Json,
    LabName,
    TextOrJson,
    examples,
    form,
    meant,
)

app = typer.Typer()


@app.command(epilog=examples("rebirth plan", "rebirth plan --graph mermaid > plan.mmd"))
def plan(
    castle: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - see check
    format_: TextOrJson = "text",
    as_json: Json = False,
    graph: Annotated[str, typer.Option(metavar="FORM", help="Draw the graph instead: dot, mermaid or json.")] = "",
    whole: Annotated[
        bool, typer.Option("--all", help="With --graph: every object, not only steps, Kustomizations and releases.")
    ] = False,
    lab: InLab = False,
    lab_name: LabName = "",
) -> None:
    """Show the start order and the critical path, and what create would do to a castle that lives. Changes nothing."""
    if lab:
        plugins.lab().enter(meant(castle, gitops) or HERE, lab_name)
    from rebirth import checking
    from rebirth.change.planning import plan as show

    asked = checking.Asked(meant(castle, gitops), gitops, cluster)
    sys.exit(show(asked, style=form(format_, as_json), graph=graph, whole=whole))
