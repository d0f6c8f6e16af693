"""The commands that only tell something: help, and the schema of castle.yaml."""

from typing import Annotated

import typer

from rebirth.errors import SpecError
from rebirth.terminal import plugins
from rebirth.terminal.options import examples, show_help

FILE = "castle.yaml"

app = typer.Typer()


@app.command("help", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def help_(context: typer.Context) -> None:
    """Print the help of a command."""
    show_help(context)


@app.command(epilog=examples("rebirth schema > castle.schema.json", "rebirth schema lab.yaml > lab.schema.json"))
def schema(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="castle.yaml or lab.yaml.")] = FILE,
) -> None:
    """Print the JSON Schema of castle.yaml, for editors.

    Save it beside castle.yaml and begin that with: # yaml-language-server: $schema=castle.schema.json
    """
    from rebirth.castle.published.schema import as_text, schema_of_castle
    from rebirth.terminal.output import write

    if file == FILE:
        return write(as_text(schema_of_castle()))
    if file == "lab.yaml":
        return write(as_text(plugins.lab().schema()))
    raise SpecError(f"no such schema: {file}", hint=f"There are {FILE} and lab.yaml.")
