"""The command `backup`."""

from typing import Annotated

import typer

from rebirth.errors import SpecError
from rebirth.terminal import plugins
from rebirth.terminal.options import HERE, Directory, InLab, LabName, examples

app = typer.Typer()


@app.command(epilog=examples("rebirth backup", "rebirth backup --list", "rebirth backup --lab examples/castle"))
def backup(
    directory: Directory = HERE,
    as_list: Annotated[bool, typer.Option("--list", help="Only list what the archive holds.")] = False,
    lab: InLab = False,
    lab_name: LabName = "",
    as_json: Annotated[bool, typer.Option("--json", help="With --list: as JSON.")] = False,
) -> None:
    """Keep what outlives the castle, as section anchors of castle.yaml says: encrypted, as a new generation of its archive.

    `rebirth create` brings a generation back where anchors.restore names one, or says `latest`.
    """
    if as_json and not as_list:
        raise SpecError("--json needs --list", hint="`rebirth backup --list --json` prints the list.")
    if lab:
        plugins.lab().enter(directory, lab_name)
    import asyncio

    from rebirth.backup import run, telling
    from rebirth.backup.facts import GenerationWritten
    from rebirth.castle import load
    from rebirth.paths import paths_of
    from rebirth.session import session
    from rebirth.terminal.output import write

    if as_list:
        castle = load(directory)
        found = asyncio.run(run.listed(castle, paths_of(directory, castle.secrets)))
        write((telling.as_json if as_json else telling.as_text)(*found))
        return
    with session(directory, "backup", "text") as s:
        outcome = s.run(run.backup(s.castle, s.paths, s.events, s.redaction))
        s.finish(outcome)
        if made := outcome.made(GenerationWritten):
            s.say(telling.written(made))
