"""The command `diagnose`. Only typer and the product's options are imported above: `rebirth --help` waits for nothing else."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rebirth.errors import SpecError
from rebirth.terminal import plugins
from rebirth.terminal.options import (
    HERE,
    Castle,
    Clusters,
    Color,
    GitOps,
    InLab,
    Json,
    LabName,
    TextOrJson,
    Verbose,
    examples,
    form,
    meant,
)

app = typer.Typer()


@app.command(
    epilog=examples(
        "rebirth diagnose", "rebirth diagnose --context home --gitops my-flux-repository", "rebirth diagnose --json"
    )
)
def diagnose(
    castle: Castle = None,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Default: the castle's; without one what kubectl would take."),
    ] = None,
    context: Annotated[
        str, typer.Option(metavar="NAME", help="A context of that kubeconfig. Default: the current one.")
    ] = "",
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - typer makes a new one
    lab: InLab = False,
    lab_name: LabName = "",
    format_: TextOrJson = "text",
    as_json: Json = False,
    verbose: Verbose = False,
    color: Color = "auto",
) -> None:
    """Tell what in a cluster is not Ready, and why: the root first, then what it holds up. Only reads.

    Any cluster that kubectl reaches will do. Exit code 0: all is Ready; 3: something is broken; 4: something is not Ready yet.
    """
    if lab:
        plugins.lab().enter(castle or HERE, lab_name)
    style = form(format_, as_json)
    if style not in {"text", "json"}:
        raise SpecError(f"--format: {style} is neither text nor json")
    import asyncio

    from rebirth.living import telling
    from rebirth.living.diagnosed import Asked, diagnosed
    from rebirth.terminal.output import width, write

    found = asyncio.run(diagnosed(Asked(meant(castle, gitops), kubeconfig, context, gitops, tuple(cluster))))
    write(telling.as_json(found) if style == "json" else telling.text(found, width=width(), verbose=verbose))
    sys.exit(found.exit_code)
