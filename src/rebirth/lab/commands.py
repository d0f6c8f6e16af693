"""The lab's commands, and `--lab` of the others: all that the rest of the product knows of the lab.

Only typer and the errors are imported above: the product runs without what the lab needs.
"""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rebirth.errors import Broken

if TYPE_CHECKING:
    from rebirth.lab.drilling.drilled import Drilled
    from rebirth.lab.state import LabState
    from rebirth.terminal.checklist import Check

app = typer.Typer(
    name="lab", no_args_is_help=True, help="Run the lab: a world in a box, in which a castle is rehearsed unmodified."
)

Directory = Annotated[Path, typer.Argument(help="The castle directory.", show_default=True)]
LabName = Annotated[str, typer.Option("--lab-name", help="The lab's name. Default: the castle's.")]


_SOURCES = (
    Path(__file__).parents[3] / "lab" / "components"
)  # what the lab's programs are built from: in a checkout alone


def required() -> None:
    """Raises Broken where this installation came without what the lab, and a rehearsal, are built from."""
    if not _SOURCES.is_dir():
        hint = "The lab needs a checkout of the repository: `make demo` there installs all that it takes."
        raise Broken("this installation is without the lab", system="lab", operation="find its sources", hint=hint)
    if find_spec("uvicorn") is None:
        hint = "In the checkout: pip install -e '.[lab]'."
        raise Broken("this installation is without what the lab needs", system="lab", operation="start", hint=hint)


def enter(directory: Path, name: str, *, takes: bool = False, reports: str = "") -> None:
    """Runs this same command inside the lab, and ends with its exit code; returns where this is inside already.

    `takes`: the lab's Git host first takes what the repository's folder holds now. `reports`: text or json, the form in which it is
    said at the end what ran on paper.
    """
    import asyncio

    from rebirth.paths import LAB

    if os.environ.get(LAB):
        return
    required()
    from rebirth.castle import load
    from rebirth.lab.enter import environment, run
    from rebirth.lab.paper.closing import run_and_report
    from rebirth.lab.up import take, up

    async def inside() -> tuple["LabState", dict[str, str]]:
        state = await up(name or load(directory).name, directory, _say)
        if takes:
            await take(state, _say)
        return state, await environment(state)

    state, found = asyncio.run(inside())
    argv = [sys.executable, "-m", "rebirth", *sys.argv[1:]]
    sys.exit(run_and_report(state, argv, found, reports) if reports else run(state, argv, found))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def needs(directory: Path | None) -> list["Check"]:
    """What this machine is missing for the lab, with the fix for each; for that castle, where one is named."""
    import asyncio

    from rebirth.lab.needs import examine

    return asyncio.run(examine(directory))


def drilled(directory: Path, name: str) -> "Drilled":
    """The lab of that name, as a drill of the castle in `directory` uses it."""
    required()
    from rebirth.lab.drilling.drilled import Drilled

    return Drilled(name, directory, _say)


def schema() -> dict[str, object]:
    """The JSON Schema of lab.yaml."""
    from rebirth.castle.published.schema import schema_of
    from rebirth.lab.spec import FILE, Lab

    return schema_of(Lab, FILE)


@app.command("build")
def build(
    directory: Annotated[Path | None, typer.Argument(help="A castle: also the optional programs that it uses.")] = None,
    more: Annotated[list[str] | None, typer.Option("--with", help="An optional component, such as flux.")] = None,
) -> None:
    """Build the lab's programs that are not in the cache; of the optional ones only what a castle uses, where one is named."""
    required()
    from rebirth.lab.building.toolchain import chosen, main
    from rebirth.lab.building.used import used

    parts = used(directory) if directory else chosen()
    main([*(component.name for component in parts), *(more or [])])


@app.command("up")
def up(directory: Directory = Path(), lab_name: LabName = "") -> None:
    """Start the lab for a castle."""
    required()
    import asyncio

    from rebirth.castle import load
    from rebirth.lab import up as starting

    state = asyncio.run(starting.up(lab_name or load(directory).name, directory, print))
    print(f"lab {state.name} is up")


@app.command("down")
def down(
    lab_name: Annotated[str, typer.Argument(help="The lab. Default: the only one.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every lab on this machine.")] = False,
) -> None:
    """Stop a lab and remove everything it made."""
    required()
    import asyncio

    from rebirth.lab import up as starting
    from rebirth.lab.state import labs

    names = [lab_name] if lab_name else [state.name for state in labs()]
    if len(names) > 1 and not every:
        hint = f"Name one, or use --all: {', '.join(names)}."
        raise Broken("there are several labs", system="lab", operation="down", hint=hint)
    for name in names:
        found = asyncio.run(starting.down(name))
        print(f"lab {name} {'is down' if found else 'does not exist'}")


@app.command("run", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context, lab_name: LabName = "") -> None:
    """Run a program inside the lab, with the castle's kubeconfig: rebirth lab run -- kubectl get nodes."""
    required()
    import asyncio

    from rebirth.lab import enter as entering

    state = _running(lab_name)
    argv = context.args or [os.environ.get("SHELL", "/bin/sh")]
    sys.exit(entering.run(state, argv, asyncio.run(entering.environment(state))))


def _running(name: str) -> "LabState":
    """The lab of that name, or the only one that runs. Raises Broken."""
    from rebirth.lab.state import LabState, labs

    if name:
        return LabState(name)
    running = [state for state in labs() if state.init]
    if len(running) != 1:
        names = ", ".join(state.name for state in running)
        hint = f"Name one with --lab-name: {names}." if names else "`rebirth lab up` starts one."
        raise Broken("several labs are up" if running else "no lab is up", system="lab", operation="find", hint=hint)
    return running[0]


@app.command("status")
def status(as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False) -> None:
    """Show the labs on this machine, and what runs in them."""
    required()
    import asyncio

    from rebirth.lab.state import labs
    from rebirth.lab.telling import described

    async def asked() -> list[dict[str, object]]:
        return [{"name": state.name, **await state.status()} for state in labs()]

    found = asyncio.run(asked())
    print(json.dumps({"version": 1, "labs": found}, indent=2) if as_json else described(found))


@app.command("clean")
def clean(
    unused: Annotated[bool, typer.Option("--unused", help="Remove only what this version no longer uses.")] = False,
) -> None:
    """Remove the programs and image layers that the lab built into its cache."""
    required()
    import asyncio

    from rebirth.lab.building.cache import clean as remove

    found = asyncio.run(remove(unused=unused))
    print(
        f"removed {found.mebibytes} MiB from {found.folder}"
        if found.entries
        else f"nothing to remove in {found.folder}"
    )
