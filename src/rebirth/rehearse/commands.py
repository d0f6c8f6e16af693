"""The command `rehearse`: adds itself to the command line, as the lab does.

Only typer and the product's options are imported above: `rebirth --help` does not wait for what a rehearsal needs.
"""

import sys
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rebirth.errors import SpecError
from rebirth.lab.commands import required
from rebirth.terminal.options import (
    Castle,
    Clusters,
    Color,
    GitOps,
    Json,
    Outputs,
    Quiet,
    Verbose,
    examples,
    form,
    meant,
    outputs,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rebirth.checking import Asked
    from rebirth.rehearse.rehearsal import Options
    from rebirth.rehearse.result import Told

app = typer.Typer()
_IN_FILES = 120  # columns of text in a file
_STYLES = ("text", "json", "sarif", "junit", "github", "html")


@app.command(
    epilog=examples(
        "rebirth rehearse --gitops my-flux-repository",
        "rebirth rehearse --gitops . --cluster clusters/home --against-check",
        "rebirth rehearse --gitops . --format sarif > rehearsal.sarif",
    )
)
def rehearse(
    directory: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - typer makes a new one
    format_: Annotated[
        str, typer.Option("--format", metavar="FORM", help=f"{', '.join(_STYLES[:-1])} or {_STYLES[-1]}.")
    ] = "text",
    as_json: Json = False,
    against_check: Annotated[
        bool,
        typer.Option("--against-check", help="Compare with what `rebirth check` says, and print where both disagree."),
    ] = False,
    age_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The age key that decrypts the repository's SOPS files. Default: invented values."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Rehearse although nothing has changed since the last time.")
    ] = False,
    budget: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Give up after this many seconds.")] = 1200,
    output: Outputs = [],  # noqa: B006 - typer makes a new one
    compare: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Tell what changed since the rehearsal whose JSON is in that file."),
    ] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    color: Color = "auto",
) -> None:
    """Let a Flux repository come up against a real API server and the real Flux controllers, everything else on paper.

    No root, no container, no cluster. Exit 0: all is Ready; 3: something is not.
    """
    style = form(format_, as_json)
    files = outputs(output, _STYLES)
    if style not in _STYLES:
        raise SpecError(f"--format: {style} is none of {', '.join(_STYLES)}")
    if age_key and not age_key.is_file():
        raise SpecError(f"--age-key: {age_key}: no such file")
    required()
    import asyncio

    from rebirth.checking import Asked
    from rebirth.rehearse.changes import changes, earlier
    from rebirth.rehearse.forms import FORMS
    from rebirth.rehearse.rehearsal import Options
    from rebirth.terminal.output import width, write

    since = time.monotonic()
    before = earlier(compare) if compare else None

    def tell(words: str) -> None:
        if not quiet:
            sys.stderr.write(f"{time.monotonic() - since:6.1f} s  {words}\n")

    async def run() -> int:
        asked = Asked(meant(directory, gitops), gitops, cluster)
        async with _rehearsed(asked, Options(budget, age_key), tell, against=against_check, again=again) as seen:
            changed = changes(before, seen.done) if before else None
            told = replace(seen, changes=changed, width=width(), verbose=verbose)
            for name, file in files:
                file.write_text(FORMS[name](replace(told, width=_IN_FILES)), encoding="utf-8")
            write(FORMS[style](told))
            return 0 if told.done.came_up else 3

    sys.exit(asyncio.run(run()))


@asynccontextmanager
async def _rehearsed(
    asked: "Asked", options: "Options", tell: "Callable[[str], None]", *, against: bool, again: bool
) -> "AsyncIterator[Told]":
    """The files of the repository are there as long as it is open."""
    from rebirth.checking import proved
    from rebirth.rehearse import rehearsal
    from rebirth.rehearse.disagreements import disagreements
    from rebirth.rehearse.result import Told

    toolchain, programs = await rehearsal.programs(tell)
    async with proved(asked) as done:
        if len(done.proof.worlds) > 1:
            clusters = ", ".join(world.cluster for world in done.proof.worlds)
            raise SpecError(f"the repository has several clusters: {clusters}", hint="Name one of them with --cluster.")
        seen = await rehearsal.rehearsed(done, toolchain, programs, options, tell, again=again)
        found = disagreements(done.proof.worlds[0], done.proof.findings, seen) if against else None
        yield Told(seen, done.places, found)
