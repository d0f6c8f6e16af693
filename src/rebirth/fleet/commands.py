"""The commands of `rebirth fleet`. The engine is imported by the command that needs it, and may be missing."""

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rebirth.errors import Broken, SpecError
from rebirth.terminal.options import Json, LabName, examples

if TYPE_CHECKING:
    from rebirth.fleet.engine import Engine
    from rebirth.fleet.place import Place
    from rebirth.fleet.seen import Seen

app = typer.Typer(
    name="fleet",
    no_args_is_help=True,
    help="Do many checks, rehearsals, rebirths and drills as durable jobs, on one machine or several.",
)

Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        envvar="REBIRTH_FLEET",
        help="The fleet's folder, which all of its workers see. Default: this user's.",
    ),
]
Postgres = Annotated[
    str,
    typer.Option(
        metavar="URL",
        envvar="REBIRTH_FLEET_POSTGRES",
        help="The database that the workers share, without a password: that comes from PGPASSWORD or PGPASSFILE. Default: SQLite.",
    ),
]


def _place(folder: Path | None, postgres: str) -> "Place":
    """Raises Broken where this installation came without the engine."""
    if find_spec("dbos") is None:
        hint = "pip install 'castle-rebirth[fleet]', or -e '.[fleet]' in a checkout."
        raise Broken("this installation is without what a fleet needs", system="fleet", hint=hint)
    from rebirth.fleet.place import place

    return place(folder, postgres)


def _engine(place: "Place") -> "Engine":
    from rebirth.fleet.engine import Engine

    return Engine(place)


@app.command(
    epilog=examples(
        "rebirth fleet add check ~/repositories/*",
        "rebirth fleet add drill --lab -n 20 --faults all examples/castle",
        "rebirth fleet add simulate -n 1000",
    )
)
def add(
    kind: Annotated[str, typer.Argument(help="Such as check, drill or simulate; another word is answered with all.")],
    directories: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR]...", help="Castles or repositories: a job each. Default: here."),
    ] = None,
    lab: Annotated[bool, typer.Option("--lab", help="In the lab of this machine, not on the real systems.")] = False,
    lab_name: LabName = "",
    rounds: Annotated[int, typer.Option("-n", "--rounds", min=1, metavar="N", help="Of a drill or a simulation.")] = 1,
    seed: Annotated[int, typer.Option(metavar="S", help="Of a drill's faults, or the first of a simulation.")] = 0,
    faults: Annotated[
        str, typer.Option(metavar="SET", help="Of a drill in the lab, as `rebirth drill` has them.")
    ] = "none",
    machine: Annotated[
        str, typer.Option(metavar="NAME", help="The only machine that may do it. Default: any; with --lab, this one.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, though a castle is destroyed.")] = False,
    folder: Folder = None,
    postgres: Postgres = "",
) -> None:
    """Add jobs. Each waits for a worker; of two on the same castle one waits for the other."""
    place = _place(folder, postgres)
    from rebirth.fleet.adding import jobs

    wanted = jobs(
        kind, directories, lab=lab, lab_name=lab_name, rounds=rounds, seed=seed, faults=faults,
        machine=machine, yes=yes,
    )  # fmt: skip
    engine = _engine(place)
    for job in wanted:
        engine.add(job)
        print(job.id)
    alive = any(worker.alive for worker in place.workers())
    sys.stderr.write("" if alive else "no worker runs: `rebirth fleet worker` starts one\n")


@app.command(
    epilog=examples("rebirth fleet status", "rebirth fleet status --json | jq '.jobs[] | select(.state==\"failed\")'")
)
def status(as_json: Json = False, folder: Folder = None, postgres: Postgres = "") -> None:
    """Show the workers and the jobs, how they ended, and why one waits."""
    place = _place(folder, postgres)
    from rebirth.fleet import seen

    rows = _engine(place).rows()
    if as_json:
        print(json.dumps(seen.as_data(place, rows), indent=2))
        return
    for worker in place.workers():
        print(f"worker {worker.name:28} {'runs' if worker.alive else 'has ended'}")
    for one in seen.seen(place, rows):
        print(_line(one))


def _line(one: "Seen") -> str:
    took = (one.ended or time.time()) - one.began if one.began and one.state != "waiting" else None
    words = one.why or one.told
    return f"{one.job.id:36} {one.state:10}{f'{took:8.1f} s' if took is not None else '':10}  {one.job.castle}" + (
        f": {words}" if words else ""
    )


@app.command(
    epilog=examples(
        "rebirth fleet worker", "PGPASSFILE=~/fleet rebirth fleet worker --postgres postgresql://rebirth@db/fleet"
    )
)
def worker(
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Its name. A worker that comes back by its name takes up its own jobs.")
    ] = "",
    drain: Annotated[bool, typer.Option("--drain", help="End when no job is left.")] = False,
    folder: Folder = None,
    postgres: Postgres = "",
) -> None:
    """Do jobs until a signal ends it. Start one more for each that shall be done at the same time, on any machine."""
    place = _place(folder, postgres)
    from rebirth.fleet.worker import work

    work(place, name, lambda line: print(f"{time.strftime('%H:%M:%S')} {line}", flush=True), drain=drain)


@app.command()
def cancel(
    job: Annotated[str, typer.Argument(help="Its name, or the end of it.")],
    folder: Folder = None,
    postgres: Postgres = "",
) -> None:
    """Cancel a job: one that runs is asked to end as by Ctrl-C, one that waits is not begun."""
    place = _place(folder, postgres)
    from rebirth.fleet.engine import found

    engine = _engine(place)
    row = found(engine.rows(), job)
    if place.account(row.job.id).end:
        raise SpecError(f"{row.job.id} has ended")
    engine.cancel(row.job.id)
    print(f"{row.job.id} is cancelled; `rebirth fleet resume {row.job.id}` goes on with it")


@app.command()
def resume(
    job: Annotated[str, typer.Argument(help="Its name, or the end of it.")],
    folder: Folder = None,
    postgres: Postgres = "",
) -> None:
    """Go on with a job that was cancelled, where it was."""
    place = _place(folder, postgres)
    from rebirth.fleet.engine import found

    engine = _engine(place)
    row = found(engine.rows(), job)
    if row.state not in {"cancelled", "lost"}:
        raise SpecError(f"{row.job.id} was not cancelled", hint=f"It is {row.state}.")
    engine.resume(row.job)
    print(f"{row.job.id} waits for a worker")


@app.command()
def serve(
    port: Annotated[int, typer.Option(metavar="PORT", help="On loopback. Default: a free one.")] = 0,
    may_act: Annotated[
        bool, typer.Option("--may-act", help="Let the page cancel and resume jobs; without it, it only shows them.")
    ] = False,
    folder: Folder = None,
    postgres: Postgres = "",
) -> None:
    """Serve a page with the jobs, their timelines and the castles' histories, on this machine alone, until a signal ends it."""
    place = _place(folder, postgres)
    from rebirth.fleet.serving import serve as run

    run(place, _engine(place), port, print, may_act=may_act)
