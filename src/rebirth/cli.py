"""The commands: parse, call, render."""

import asyncio
import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from rebirth.errors import Rebirth, SpecError
from rebirth.lab import commands as lab_commands

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From nothing to online: a disposable Kubernetes cluster.",
)
app.add_typer(lab_commands.app, name="lab")

Directory = Annotated[Path, typer.Argument(help="The castle directory.", show_default=True)]
InLab = Annotated[bool, typer.Option("--lab", help="Rehearse in the lab; it is started if it is not up.")]
LabName = Annotated[str, typer.Option("--lab-name", help="Which lab; the castle's name if not given.")]
Budget = Annotated[float | None, typer.Option(min=1, help="Seconds after which the run gives up.")]
Format = Annotated[str, typer.Option("--format", help="text, or json: one event a line.")]
HERE = Path()
Castle = Annotated[Path | None, typer.Argument(help="The castle directory; here if not given, nor --gitops.")]
GitOps = Annotated[
    Path | None, typer.Option(help="A Flux repository on this machine: alone, or instead of the castle's.")
]
Clusters = Annotated[
    list[str],
    typer.Option("--cluster", help="The folder that Flux starts from, such as clusters/x; found if not given."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="What is ignored, what is unknown, all of every info.")]


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"rebirth {version('castle-rebirth')}")
        raise typer.Exit


@app.callback()
def rebirth(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """From nothing to online: a disposable Kubernetes cluster."""


@app.command()
def create(
    directory: Directory = HERE,
    lab: InLab = False,
    lab_name: LabName = "",
    budget: Budget = None,
    format_: Format = "text",
    layered: Annotated[
        bool, typer.Option(help="Run the protocol's layers one after the other, for comparison.")
    ] = False,
    unproved: Annotated[bool, typer.Option("--unproved", help="Go on where the proof finds errors.")] = False,
) -> None:
    """From nothing to online; goes on after a crash; changes nothing on a live castle."""
    if lab:
        lab_commands.enter(directory, lab_name, takes=True)
    from rebirth import checking
    from rebirth.run import create as run
    from rebirth.session import session

    with session(directory, "create", format_) as s:
        checked = checking.before_create(s, unproved=unproved)
        created = run.create(s.castle, s.place, s.events, s.redaction, budget=budget, layered=layered, checked=checked)
        s.finish(s.run(created))


@app.command()
def check(
    castle: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - typer reads the default, nobody changes it
    format_: Annotated[str, typer.Option("--format", help="text, json, sarif, or github: workflow commands.")] = "text",
    strict: Annotated[bool, typer.Option(help="Warnings count as errors.")] = False,
    verbose: Verbose = False,
    explain: Annotated[str, typer.Option(metavar="RULE", help="Print a rule's page, such as R13.")] = "",
    rules: Annotated[bool, typer.Option("--rules", help="List all rules.")] = False,
) -> None:
    """Proves that the bootstrap can finish, before anything is made. Exit 0: it can; 3: errors."""
    from rebirth import checking

    if rules:
        return checking.show_rules()
    if explain:
        return checking.show_page(explain)
    sys.exit(checking.check(checking.Asked(castle, gitops, cluster), style=format_, verbose=verbose, strict=strict))


@app.command()
def plan(
    castle: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - see check
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    graph: Annotated[str, typer.Option(metavar="FORM", help="The graph instead: dot, mermaid or json.")] = "",
    whole: Annotated[bool, typer.Option("--all", help="With --graph: every thing, not only phases and units.")] = False,
) -> None:
    """What can start when, the longest chain, and what is held back for nothing. Nothing is touched."""
    from rebirth import checking

    checking.plan(checking.Asked(castle, gitops, cluster), style=format_, graph=graph, whole=whole)


@app.command()
def explain(
    one: Annotated[
        str, typer.Argument(metavar="A", help="Such as apps, phase:converge, Secret/monitoring/grafana-db.")
    ],
    other: Annotated[str, typer.Argument(metavar="B")],
    castle: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - see check
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """Why A needs B, with file and line of every step. Exit 0: it does; 1: it does not."""
    from rebirth import checking

    sys.exit(checking.explain(checking.Asked(castle, gitops, cluster), one, other, style=format_))


@app.command()
def schema() -> None:
    """Print the JSON Schema of castle.yaml, for editors.

    Save it beside castle.yaml and begin that with: # yaml-language-server: $schema=castle.schema.json
    """
    import json

    from rebirth.castle.schema import schema_of_castle

    print(json.dumps(schema_of_castle(), indent=2))


@app.command()
def verify(
    directory: Directory = HERE,
    lab: InLab = False,
    lab_name: LabName = "",
    budget: Budget = 60,
    format_: Format = "text",
) -> None:
    """The end-to-end checks alone: the ingress has its address, the sites answer."""
    if lab:
        lab_commands.enter(directory, lab_name)
    from rebirth.run import create as run
    from rebirth.session import session

    with session(directory, "verify", format_) as s:
        s.finish(s.run(run.verify(s.castle, s.place, s.events, s.redaction, budget=budget)))


@app.command()
def status(directory: Directory = HERE, lab: InLab = False, lab_name: LabName = "", format_: Format = "text") -> None:
    """Which facts hold now. Nothing is written."""
    if lab:
        lab_commands.enter(directory, lab_name)
    from rebirth.run import create as run
    from rebirth.session import session

    with session(directory, "status", format_) as s:
        s.finish(s.run(run.status(s.castle, s.place, s.events, s.redaction)))


@app.command()
def destroy(
    directory: Directory = HERE,
    lab: Annotated[bool, typer.Option("--lab", help="Act on the lab, not on the real systems.")] = False,
    lab_name: LabName = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="With --dry-run: the list as JSON.")] = False,
) -> None:
    """Delete the castle's machines, tailnet devices and keys, then verify that nothing is left."""
    if json_ and not dry_run:
        raise SpecError("--json is for --dry-run", hint="`rebirth destroy --dry-run --json` prints the list.")
    if lab:
        lab_commands.enter(directory, lab_name)
    if dry_run:
        _list_remains(directory, as_json=json_)
    from rebirth.run.asking import destroy as run_destroy
    from rebirth.session import session

    with session(directory, "destroy", "text") as s:
        s.finish(run_destroy(s.castle, s.place, s.events, s.redaction, s.say, yes=yes, run=s.run))


def _list_remains(directory: Path, *, as_json: bool) -> NoReturn:
    """What destroy would find: nothing is written, no log either."""
    import json

    from rebirth.castle import load
    from rebirth.console import Steps, show_error
    from rebirth.events import Events
    from rebirth.place import place_of
    from rebirth.run import asking
    from rebirth.secrets import Redaction

    castle, redaction = load(directory), Redaction()
    place = place_of(directory, castle.secrets)
    found = asking.look(castle, place, Events(Steps(redaction, sys.stderr)), redaction)
    if as_json:
        fields = ("kind", "name", "identity", "stays")
        items = [{name: redaction.redact(getattr(one, name)) for name in fields} for one in found.made]
        print(json.dumps(items, indent=2))
    else:
        print(*map(redaction.redact, asking.listed(found, place)), sep="\n")
    for error in found.outcome.failures.values():
        show_error(error, redaction)
    sys.exit(0 if found.outcome.ok else 1)


@app.command()
def report(
    directory: Directory = HERE,
    format_: Annotated[
        str, typer.Option("--format", help="text, json, or html: one page, on standard output.")
    ] = "text",
    run: Annotated[str, typer.Option(help="Which run, by its time; else the last that did something.")] = "",
) -> None:
    """The timeline of a run: phases, layers, the critical path; beside it the times of the run before."""
    from rebirth.session import show_report

    show_report(directory, format_, run)


@app.command()
def doctor(
    directory: Annotated[
        Path | None, typer.Argument(help="The castle directory; here if not given and castle.yaml is here.")
    ] = None,
    lab: Annotated[
        bool, typer.Option("--lab", help="What the lab needs instead of what the real systems need.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Programs, secrets and outside systems that a castle needs, and the fix for each. Exit 0: all is there; 1: not."""
    from rebirth import checklist
    from rebirth.castle.load import FILE
    from rebirth.doctor import examine, programs

    asked = directory or (HERE if (HERE / FILE).exists() else None)
    if lab:
        title, checks = "the lab", lab_commands.needs(asked)
    elif asked:
        title, checks = f"the castle in {asked}", asyncio.run(examine(asked))
    else:
        title, checks = "any castle", programs()
    print((checklist.as_json if as_json else checklist.as_text)(title, checks))
    if not (lab or as_json):
        print("`rebirth doctor --lab` looks at what the lab needs.")
    sys.exit(checklist.exit_code(checks))


def main() -> None:
    """The entry point: errors become a message, a hint and the documented exit code."""
    try:
        app()
    except Rebirth as error:
        from rebirth.console import show_error

        show_error(error)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - a defect outside of a run: its trace could show a secret
        frame = traceback.extract_tb(error.__traceback__)[-1]
        sys.stderr.write(f"error: unexpected {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}\n")
        sys.stderr.write("hint: A defect; please report it.\n")
        sys.exit(1)
