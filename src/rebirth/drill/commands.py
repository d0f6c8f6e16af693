"""The command `drill`."""

import json
import sys
import time
from typing import Annotated

import typer

from rebirth.errors import Broken, SpecError
from rebirth.terminal import plugins
from rebirth.terminal.options import HERE, Budget, Directory, Json, LabName, examples

app = typer.Typer()


@app.command(
    epilog=examples(
        "rebirth drill --lab -n 20 --faults all --seed 7",
        "rebirth drill --lab -n 1 --faults all --seed 7 --first 13",
        "rebirth drill -n 1",
    )
)
def drill(
    directory: Directory = HERE,
    rounds: Annotated[int, typer.Option("-n", "--rounds", min=1, metavar="N", help="How many rebirths.")] = 1,
    lab: Annotated[bool, typer.Option("--lab", help="Act on the lab, not on the real systems.")] = False,
    lab_name: LabName = "",
    faults: Annotated[
        str,
        typer.Option(
            metavar="SET",
            help="In the lab, what goes wrong: none, slow, refusing, dying, losing, kill, or all, a few drawn in each round.",
        ),
    ] = "none",
    seed: Annotated[int, typer.Option(metavar="S", help="What the faults of each round are drawn by.")] = 0,
    first: Annotated[
        int, typer.Option(min=1, metavar="N", help="The number of the first round, to repeat one of another drill.")
    ] = 1,
    name: Annotated[
        str,
        typer.Option(metavar="NAME", help="Its name. A drill of that name goes on where it was. Default: the time."),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    budget: Budget = None,
    as_json: Json = False,
) -> None:
    """Destroy, create and verify the castle, N times; tell what it took, what went wrong meanwhile, and what leaked.

    Exit code 0: every round went well; 1: one did not, and the command that repeats it is printed.
    """
    if faults != "none" and not lab:
        raise SpecError("--faults needs --lab", hint="Nothing is broken on real systems on purpose.")
    import asyncio

    from rebirth.castle import load
    from rebirth.commands import Commands
    from rebirth.drill.drill import Asked, Course
    from rebirth.drill.faults import drawn
    from rebirth.paths import paths_of
    from rebirth.report import drills
    from rebirth.run.asking import agreed, asks
    from rebirth.secrets import Redaction
    from rebirth.terminal.ending import Ending
    from rebirth.terminal.output import write

    drawn(faults, seed, first)
    castle = load(directory)
    if not name.replace("-", "").replace("_", "").isalnum() and name:
        raise SpecError(f"--name: {name}: only letters, digits, hyphens and underscores")
    world = plugins.lab().drilled(directory, lab_name or castle.name) if lab else None
    paths = paths_of(directory, castle.secrets)
    if world is None and not yes and asks("drill", paths) and not agreed(castle, paths):
        raise Broken("the answer was no; nothing was removed")
    called = name or time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    asked = Asked(directory, rounds, first, faults, seed, budget, lab_name)
    course = Course(asked, called, paths.logs, Commands(Redaction()), world, _say)
    with Ending() as ending:
        try:
            done = ending.run(course.run())
        except (KeyboardInterrupt, asyncio.CancelledError):
            if not ending.number:
                raise
            _say(f"interrupted; the same command with --name {called} goes on where it was")
            sys.exit(ending.exit_code)
    before = drills.earlier(paths.logs, done)
    answer = json.dumps(drills.as_data(done, before) | {"castle": castle.name}, indent=2)
    write(f"{answer}\n" if as_json else "".join(f"{line}\n" for line in drills.text(done, before)))
    sys.exit(0 if done.survived == len(done.rounds) else 1)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
