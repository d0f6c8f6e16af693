"""The commands: parse, call, render."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rebirth.backup.commands import app as keeping
from rebirth.bundle.commands import app as bundling
from rebirth.change.commands import app as changing
from rebirth.drill.commands import app as drilling
from rebirth.errors import Rebirth, SpecError, of_this_machine
from rebirth.fetch.commands import app as fetching
from rebirth.findings.forms import FORMS
from rebirth.fleet.commands import app as fleeting
from rebirth.init.commands import app as beginning
from rebirth.living.commands import app as living
from rebirth.report.commands import app as reports
from rebirth.terminal import plugins
from rebirth.terminal.commands import app as telling
from rebirth.terminal.options import (
    HERE,
    AcceptLoss,
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
    Outputs,
    Quiet,
    Remove,
    TextOrJson,
    Unproved,
    Verbose,
    examples,
    form,
    meant,
    outputs,
)

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="Bring up a disposable Kubernetes cluster, prove beforehand that it can come up, and rehearse it in a lab.",
    epilog=examples(
        "rebirth check --gitops my-flux-repository",
        "rebirth create --lab examples/castle",
        "rebirth help create",
    ),
)
for module in plugins.commands().values():
    app.add_typer(module.app)
app.add_typer(beginning)
app.add_typer(reports)
app.add_typer(fetching)
app.add_typer(keeping)
app.add_typer(bundling)
app.add_typer(drilling)
app.add_typer(fleeting)
app.add_typer(living)
app.add_typer(changing)
app.add_typer(telling)


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
    unproved: Unproved = False,
    remove: Remove = [],  # noqa: B006 - typer reads the default, nobody changes it
    accept_loss: AcceptLoss = False,
) -> None:
    """Build the cluster that castle.yaml describes. Safe to run again: it resumes, and does nothing if all is up."""
    if lab:
        reports = "json" if as_json else "" if quiet or format_ == "json" else "text"
        plugins.lab().enter(directory, lab_name, takes=True, reports=reports)
    from rebirth import checking
    from rebirth.phases import BOOTSTRAP
    from rebirth.run import create as run
    from rebirth.run.consent import Consent
    from rebirth.session import session

    with session(directory, "create", format_, verbose=verbose, quiet=quiet, as_json=as_json) as s:
        checked = checking.before_create(s, unproved=unproved)
        consent = Consent(accept_loss, tuple(remove))
        created = run.create(BOOTSTRAP, *s.parts, budget=budget, layered=layered, checked=checked, consent=consent)
        s.finish(s.run(created))


@app.command(
    epilog=examples(
        "rebirth check",
        "rebirth check --gitops my-flux-repository --cluster clusters/home",
        "rebirth check --format github --strict --output sarif=rebirth.sarif",
        "rebirth check --gitops . --since main",
        "rebirth check --explain R13",
    )
)
def check(
    castle: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - typer reads the default, nobody changes it
    format_: Annotated[str, typer.Option("--format", metavar="FORM", help=", ".join(FORMS))] = "text",
    as_json: Json = False,
    output: Outputs = [],  # noqa: B006 - see cluster
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 on warnings, too.")] = False,
    since: Annotated[
        str, typer.Option(metavar="REV", help="Report only what is new against a revision of Git, such as main.")
    ] = "",
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Do not report the findings that are in this file.")
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write all findings of now to the file of --baseline.")
    ] = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Check again whenever a file changes, and tell what is new. Ends with Ctrl-C."),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print what is ignored, what is unknown, and every note in full.")
    ] = False,
    color: Color = "auto",
    explain: Annotated[str, typer.Option(metavar="RULE", help="Print a rule's page, such as R13.")] = "",
    rules: Annotated[bool, typer.Option("--rules", help="List all rules.")] = False,
) -> None:
    """Prove that the cluster can come up, before anything is made. Exit code 0: it can; 3: errors were found."""
    directory, style = meant(castle, gitops), form(format_, as_json)
    if style not in FORMS:
        raise SpecError(f"--format: {style} is none of {', '.join(FORMS)}")
    plain = not (rules or explain or write_baseline or baseline or output or watch or since)
    if plain and gitops and not directory:
        from rebirth.change import answered

        sys.exit(answered.check(answered.Asked(gitops, cluster, style, verbose, strict)))
    from rebirth import checking

    if rules:
        return checking.show_rules()
    if explain:
        return checking.show_page(explain)
    asked = checking.Asked(directory, gitops, cluster)
    if write_baseline:
        if baseline is None:
            raise SpecError("--write-baseline needs --baseline FILE", hint="FILE is where the findings go.")
        return checking.write_baseline(asked, baseline)
    said = checking.Said(style, outputs(output, FORMS), verbose, strict, baseline)
    if watch:
        if since or style != "text" or output:
            raise SpecError(
                "--watch prints text, of what changes from now on", hint="Leave out --since, --format, --output."
            )
        from rebirth.change import watching

        sys.exit(watching.watch(asked, said))
    if since:
        from rebirth.change import since as change

        sys.exit(change.check(asked, said, since))
    sys.exit(checking.check(asked, said))


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
        plugins.lab().enter(directory, lab_name)
    from rebirth.phases import BOOTSTRAP
    from rebirth.run import create as run
    from rebirth.session import session

    with session(directory, "verify", format_, verbose=verbose, quiet=quiet, as_json=as_json) as s:
        s.finish(s.run(run.verify(BOOTSTRAP, *s.parts, budget=budget)))


@app.command(epilog=examples("rebirth status", "rebirth status --json"))
def status(
    directory: Directory = HERE,
    lab: InLab = False,
    lab_name: LabName = "",
    format_: Format = "text",
    as_json: Json = False,
) -> None:
    """Show which steps of create are in place. Changes nothing."""
    if lab:
        plugins.lab().enter(directory, lab_name)
    from rebirth.phases import BOOTSTRAP
    from rebirth.run import create as run
    from rebirth.session import session

    with session(directory, "status", format_, as_json=as_json) as s:
        s.finish(s.run(run.status(BOOTSTRAP, *s.parts)))


@app.command(epilog=examples("rebirth destroy --dry-run", "rebirth destroy --lab examples/castle"))
def destroy(
    directory: Directory = HERE,
    lab: Annotated[bool, typer.Option("--lab", help="Act on the lab, not on the real systems.")] = False,
    lab_name: LabName = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
    budget: Budget = None,
    json_: Annotated[bool, typer.Option("--json", help="With --dry-run: the list as JSON.")] = False,
) -> None:
    """Delete the castle's machines, tailnet devices and keys, then verify that nothing is left."""
    if json_ and not dry_run:
        raise SpecError("--json needs --dry-run", hint="`rebirth destroy --dry-run --json` prints the list.")
    if lab:
        plugins.lab().enter(directory, lab_name)
    if dry_run:
        from rebirth.terminal.remains import list_remains

        list_remains(directory, as_json=json_, budget=budget)
    from rebirth.phases import BOOTSTRAP
    from rebirth.run.asking import destroy as run_destroy
    from rebirth.session import session

    with session(directory, "destroy", "text") as s:
        s.finish(run_destroy(BOOTSTRAP, *s.parts, s.say, yes=yes, budget=budget, run=s.run))


@app.command()
def doctor(
    directory: Annotated[
        Path | None, typer.Argument(help="The castle directory. Default: this one, if castle.yaml is in it.")
    ] = None,
    lab: Annotated[
        bool, typer.Option("--lab", help="Check what the lab needs, not what the real systems need.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Check the programs, secrets and outside systems that a castle needs, with a fix for each. Exit 1: some are missing."""
    import asyncio

    from rebirth.castle.load import FILE
    from rebirth.doctor import examine, programs
    from rebirth.terminal import checklist

    asked = directory or (HERE if (HERE / FILE).exists() else None)
    if lab:
        title, checks = "the lab", plugins.lab().needs(asked)
    elif asked:
        title, checks = f"the castle in {asked}", asyncio.run(examine(asked))
    else:
        title, checks = "any castle", programs()
    print((checklist.as_json if as_json else checklist.as_text)(title, checks))
    if not (lab or as_json):
        print("`rebirth doctor --lab` checks what the lab needs.")
    sys.exit(checklist.exit_code(checks))


def main() -> None:
    """The entry point: errors become a message, a hint and the documented exit code."""
    try:
        app(prog_name="rebirth")  # not `python -m rebirth`, as which it is started inside the lab
    except Rebirth as error:
        from rebirth.console import show_error

        show_error(error)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - a bug of ours outside of a run
        if isinstance(error, OSError) and (local := of_this_machine(error, "")):
            from rebirth.console import show_error

            show_error(local)
            sys.exit(local.exit_code)
        from rebirth.terminal.bugs import trace_of, where

        sys.stderr.write(f"error: {where(error)}\nhint: This is a bug; please report it{trace_of(error)}.\n")
        sys.exit(1)
