"""The commands that read recorded runs."""

from pathlib import Path
from typing import Annotated

import typer

from rebirth.terminal.options import HERE, Color, Directory, Json, examples, form, meant

app = typer.Typer()


@app.command(
    epilog=examples(
        "rebirth report",
        "rebirth report --list",
        "rebirth report --run 20260102T1015 --against 20260101",
        "rebirth report --format html > report.html",
    )
)
def report(
    directory: Directory = HERE,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORM", help="text, json, or html: a single page, on standard output.")
    ] = "text",
    as_json: Json = False,
    run: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Which run, by the beginning of its time. Default: the last that did something."
        ),
    ] = "",
    against: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Which run to compare with. Default: the last one before it that went online."
        ),
    ] = "",
    as_list: Annotated[bool, typer.Option("--list", help="List the recorded runs.")] = False,
    color: Color = "auto",
) -> None:
    """Show where the time of a run went: steps, waits, critical path, and what failed."""
    from rebirth.report import show

    show.report(directory, form(format_, as_json), run=run, against=against, as_list=as_list)


@app.command(epilog=examples("rebirth logs | less", "rebirth logs converge", "rebirth logs examples/castle converge"))
def logs(
    directory: Annotated[
        Path | None, typer.Argument(help="The castle directory, or set REBIRTH_CASTLE. Default: this one.")
    ] = None,
    step: Annotated[
        str, typer.Argument(help="A step, such as converge, to print its log alone. Default: all, in order of time.")
    ] = "",
    run: Annotated[
        str, typer.Option(metavar="TIME", help="Which run, by the beginning of its time. Default: the last.")
    ] = "",
) -> None:
    """Print the logs of a run."""
    from rebirth.report import show

    show.logs(meant(directory, None), step, run)
