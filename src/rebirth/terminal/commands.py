"""The commands that only tell something: help, and the schema of castle.yaml."""

import typer

from rebirth.terminal.options import show_help

app = typer.Typer()


@app.command("help", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def help_(context: typer.Context) -> None:
    """Print the help of a command."""
    show_help(context)


@app.command()
def schema() -> None:
    """Print the JSON Schema of castle.yaml, for editors.

    Save it beside castle.yaml and begin that with: # yaml-language-server: $schema=castle.schema.json
    """
    import json

    from rebirth.castle.schema import schema_of_castle
    from rebirth.console import write

    write(json.dumps(schema_of_castle(), indent=2) + "\n")
