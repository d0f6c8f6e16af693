"""`rebirth init` on the command line: asks on a terminal, and says what it assumed and what is left to do."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rebirth.errors import SpecError
from rebirth.terminal.options import HERE, Color, examples

_INTERRUPTED = 130  # exit code

app = typer.Typer()


@app.command(
    epilog=examples(
        "rebirth init my-castle",
        "rebirth init my-castle --from ~/my-flux-repository --from ~/my-tofu",
        "rebirth init my-castle --set proxmox.endpoint=https://pve.lan:8006",
        "rebirth init my-castle --set existing={}",
    )
)
def init(
    directory: Annotated[Path, typer.Argument(help="The castle directory; it is made.", show_default="here")] = HERE,
    sources: Annotated[
        list[Path], typer.Option("--from", metavar="DIR", help="Read this folder, too. May be repeated.")
    ] = [],  # noqa: B006 - typer reads the default, nobody changes it
    answers: Annotated[
        list[str], typer.Option("--set", metavar="PATH=VALUE", help="A value of castle.yaml. May be repeated.")
    ] = [],  # noqa: B006 - see sources
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing, on a terminal neither.")] = False,
    color: Color = "auto",
) -> None:
    """Write castle.yaml from what is there: Flux, talhelper, talosctl, OpenTofu. Overwrites nothing.

    Every value says where it comes from. Exit code 2: something is left open, and is named with its line.
    """
    from rebirth.init.completing import Question
    from rebirth.init.starting import start
    from rebirth.terminal.output import write

    def ask(question: Question) -> str:
        if no_input or not sys.stdin.isatty():
            return ""
        if question.wrong:
            typer.echo(f"  {question.wrong}")
        typer.echo(question.words)
        try:
            answer: str = typer.prompt(question.path, default="", show_default=False)
        except typer.Abort:
            raise typer.Exit(_INTERRUPTED) from None  # nothing was written yet
        return answer

    started = start(directory, sources, answers, ask)
    write(started.text())
    if started.problems:
        left = len(started.problems)
        hint = f"Edit {started.file}; `rebirth check {directory}` then proves it."
        raise SpecError([*started.problems], hint=f"{left} {'value is' if left == 1 else 'values are'} left. {hint}")
