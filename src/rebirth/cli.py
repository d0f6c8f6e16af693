"""The commands: parse, call, render."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from rebirth.errors import Broken, Rebirth, SpecError
from rebirth.report.commands import app as reports
from rebirth.terminal.commands import app as telling
from rebirth.terminal.options import (
    HERE,
    Budget,
    Castle,
    Clusters,
    Color,
    Commands,
    Directory,
    Format,
    GitOps,
    InLab,
    Json,
    LabName,
    Quiet,
    TextOrJson,
    Verbose,
    examples,
    form,
    meant,
)

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="Brings up a disposable Kubernetes cluster, proves beforehand that it can come up, and rehearses it in a lab.",
    epilog=examples(
        "rebirth check --gitops my-flux-repository",
        "rebirth create --lab examples/castle",
        "rebirth help create",
    ),
)
lab_app = typer.Typer(
    no_args_is_help=True, help="The lab: everything outside the cluster is stood in for, on this machine."
)
app.add_typer(lab_app, name="lab")
app.add_typer(reports)
app.add_typer(telling)


def _enter_lab(directory: Path, name: str) -> None:
    """Runs this same command inside the lab, and ends with its exit code; returns where this is inside already."""
    from rebirth.place import LAB

    if os.environ.get(LAB):
        return
    from rebirth.castle import load
    from rebirth.lab.enter import environment, run
    from rebirth.lab.up import up

    state = asyncio.run(up(name or load(directory).name, directory, lambda line: print(line, file=sys.stderr)))
    sys.exit(run(state, [sys.executable, "-m", "rebirth", *sys.argv[1:]], asyncio.run(environment(state))))


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"rebirth {version('castle-rebirth')}")
        raise typer.Exit


@app.callback()
def rebirth(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    color: Color = "auto",
) -> None: ...


@app.command(
    epilog=examples(
        "rebirth create", "rebirth create --lab examples/castle", "rebirth create --json | jq -r .kubeconfig"
    )
)
def create(
    directory: Directory = HERE,
    lab: InLab = False,
    lab_name: LabName = "",
    budget: Budget = None,
    format_: Format = "text",
    as_json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    color: Color = "auto",
    layered: Annotated[bool, typer.Option("--layered", hidden=True)] = False,  # what make bench compares with
    unproved: Annotated[
        bool, typer.Option("--unproved", help="Continue in spite of errors found by `rebirth check`.")
    ] = False,
) -> None:
    """Build the cluster that castle.yaml describes. Safe to run again: it resumes, and does nothing if all is up."""
    if lab:
        _enter_lab(directory, lab_name)
    from rebirth import checking
    from rebirth.run import create as run
    from rebirth.session import session

    with session(directory, "create", format_, verbose=verbose, quiet=quiet, as_json=as_json) as s:
        checked = checking.before_create(s, unproved=unproved)
        created = run.create(s.castle, s.place, s.events, s.redaction, budget=budget, layered=layered, checked=checked)
        s.finish(asyncio.run(created))


@app.command(
    epilog=examples(
        "rebirth check",
        "rebirth check --gitops my-flux-repository --cluster clusters/home",
        "rebirth check --format github --strict",
        "rebirth check --explain R13",
    )
)
def check(
    castle: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - typer reads the default, nobody changes it
    format_: Annotated[
        str, typer.Option("--format", metavar="FORM", help="text, json, sarif, or github: workflow commands.")
    ] = "text",
    as_json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 for warnings, too.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print what is ignored, what is unknown, and every note in full.")
    ] = False,
    color: Color = "auto",
    explain: Annotated[str, typer.Option(metavar="RULE", help="Print a rule's page, such as R13.")] = "",
    rules: Annotated[bool, typer.Option("--rules", help="List all rules.")] = False,
) -> None:
    """Prove that the cluster can come up, before anything is made. Exit code 0: it can; 3: errors were found."""
    from rebirth import checking

    if rules:
        return checking.show_rules()
    if explain:
        return checking.show_page(explain)
    asked = checking.Asked(meant(castle, gitops), gitops, cluster)
    sys.exit(checking.check(asked, style=form(format_, as_json), verbose=verbose, strict=strict))


@app.command(epilog=examples("rebirth plan", "rebirth plan --graph mermaid > plan.mmd"))
def plan(
    castle: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - see check
    format_: TextOrJson = "text",
    as_json: Json = False,
    graph: Annotated[str, typer.Option(metavar="FORM", help="Draw the graph instead: dot, mermaid or json.")] = "",
    whole: Annotated[
        bool, typer.Option("--all", help="With --graph: every object, not only steps, Kustomizations and releases.")
    ] = False,
) -> None:
    """Show the start order, the critical path and needless dependsOn. Changes nothing."""
    from rebirth import checking

    asked = checking.Asked(meant(castle, gitops), gitops, cluster)
    checking.plan(asked, style=form(format_, as_json), graph=graph, whole=whole)


@app.command(
    epilog=examples(
        "rebirth explain apps phase:place_secrets", "rebirth explain apps configs --gitops my-flux-repository"
    )
)
def explain(
    one: Annotated[
        str, typer.Argument(metavar="A", help="Such as apps, phase:converge, Secret/monitoring/grafana-db.")
    ],
    other: Annotated[str, typer.Argument(metavar="B")],
    castle: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - see check
    format_: TextOrJson = "text",
    as_json: Json = False,
    color: Color = "auto",
) -> None:
    """Explain why A needs B, with file and line of every step. Exit code 0: it does; 4: it does not."""
    from rebirth import checking

    asked = checking.Asked(meant(castle, gitops), gitops, cluster)
    sys.exit(checking.explain(asked, one, other, style=form(format_, as_json)))


@app.command(epilog=examples("rebirth verify", "rebirth verify --json"))
def verify(
    directory: Directory = HERE,
    lab: InLab = False,
    lab_name: LabName = "",
    budget: Budget = 60,
    format_: Format = "text",
    as_json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    color: Color = "auto",
) -> None:
    """Check from outside that the ingress has its address and that the sites answer."""
    if lab:
        _enter_lab(directory, lab_name)
    from rebirth.run import create as run
    from rebirth.session import session

    with session(directory, "verify", format_, verbose=verbose, quiet=quiet, as_json=as_json) as s:
        s.finish(asyncio.run(run.verify(s.castle, s.place, s.events, s.redaction, budget=budget)))


@app.command(epilog=examples("rebirth status", "rebirth status --json"))
def status(
    directory: Directory = HERE,
    lab: InLab = False,
    lab_name: LabName = "",
    format_: Format = "text",
    as_json: Json = False,
) -> None:
    """Show which steps of create hold now. Changes nothing."""
    if lab:
        _enter_lab(directory, lab_name)
    from rebirth.run import create as run
    from rebirth.session import session

    with session(directory, "status", format_, as_json=as_json) as s:
        s.finish(asyncio.run(run.status(s.castle, s.place, s.events, s.redaction)))


@app.command(epilog=examples("rebirth destroy --dry-run", "rebirth destroy --lab examples/castle"))
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
        _enter_lab(directory, lab_name)
    if dry_run:
        from rebirth.terminal.remains import list_remains

        list_remains(directory, as_json=json_)
    from rebirth.run.asking import destroy as run_destroy
    from rebirth.session import session

    with session(directory, "destroy", "text") as s:
        s.finish(run_destroy(s.castle, s.place, s.events, s.redaction, s.say, yes=yes))


@lab_app.command("build")
def lab_build() -> None:
    """Builds the lab's programs that are not in the cache."""
    from rebirth.lab.toolchain import main as build

    sys.argv = sys.argv[:1]
    build()


@lab_app.command("up")
def lab_up(directory: Directory = HERE, lab_name: LabName = "") -> None:
    """Starts the lab for a castle."""
    from rebirth.castle import load
    from rebirth.lab.up import up

    state = asyncio.run(up(lab_name or load(directory).name, directory, print))
    print(f"lab {state.name} is up")


@lab_app.command("down")
def lab_down(
    lab_name: Annotated[str, typer.Argument(help="The lab; the only one if not given.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every lab of this machine.")] = False,
) -> None:
    """Stops a lab and removes what it made."""
    from rebirth.lab.state import labs
    from rebirth.lab.up import down

    names = [lab_name] if lab_name else [state.name for state in labs()]
    if len(names) > 1 and not every:
        hint = f"Name one, or --all: {', '.join(names)}."
        raise Broken("there is more than one", system="lab", operation="down", hint=hint)
    for name in names:
        found = asyncio.run(down(name))
        print(f"lab {name} is {'down' if found else 'not there'}")


@lab_app.command("run", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab_run(context: typer.Context, lab_name: LabName = "") -> None:
    """Runs a program in the operator's corner of the lab: rebirth lab run -- kubectl get nodes."""
    from rebirth.lab.enter import environment, run
    from rebirth.session import the_lab

    state = the_lab(lab_name)
    sys.exit(run(state, context.args or [os.environ.get("SHELL", "/bin/sh")], asyncio.run(environment(state))))


@lab_app.command("status")
def lab_status() -> None:
    """The labs of this machine, and what runs in them."""
    import json

    from rebirth.lab.state import labs

    for state in labs():
        print(
            f"{state.name}: "
            + (json.dumps(asyncio.run(state.ask("/status")), indent=2) if state.init else "not running")
        )


@app.command()
def doctor(
    directory: Annotated[Path | None, typer.Argument(help="A castle directory, to look at its secrets too.")] = None,
) -> None:
    """What this machine still lacks, and the fix for each."""
    from rebirth.doctor import examine, show

    sys.exit(show(asyncio.run(examine(directory))))


def main() -> None:
    """The entry point: errors become a message, a hint and the documented exit code."""
    try:
        app(prog_name="rebirth")  # not `python -m rebirth`, as which it is started inside the lab
    except Rebirth as error:
        from rebirth.console import show_error

        show_error(error)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - a bug of ours outside of a run
        from rebirth.terminal.bugs import trace_of, where

        sys.stderr.write(f"error: {where(error)}\nhint: This is a bug; please report it{trace_of(error)}.\n")
        sys.exit(1)
