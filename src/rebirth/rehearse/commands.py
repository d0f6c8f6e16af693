"""The command `rehearse`: adds itself to the command line, as the lab does.

Only typer and the product's options are imported above: `rebirth --help` does not wait for what a rehearsal needs.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rebirth.errors import SpecError
from rebirth.terminal.options import Castle, Clusters, Color, GitOps, Json, Quiet, Verbose, examples, form, meant

if TYPE_CHECKING:
    from collections.abc import Callable

    from rebirth.checking import Asked
    from rebirth.rehearse.rehearsal import Options

app = typer.Typer()
_STYLES = ("text", "json", "sarif", "junit", "github")


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
    budget: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Give up after this many seconds.")] = 1200,
    page: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the timeline as a page (HTML), too.")] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    color: Color = "auto",
) -> None:
    """Let a Flux repository come up against a real API server and the real Flux controllers, everything else on paper.

    No root, no container, no cluster. Exit 0: all is Ready; 3: something is not.
    """
    style = form(format_, as_json)
    if style not in _STYLES:
        raise SpecError(f"--format: {style} is none of {', '.join(_STYLES)}")
    from rebirth.checking import Asked
    from rebirth.rehearse.rehearsal import Options

    since = time.monotonic()

    def tell(words: str) -> None:
        if not quiet:
            sys.stderr.write(f"{time.monotonic() - since:6.1f} s  {words}\n")

    asked = Asked(meant(directory, gitops), gitops, cluster)
    sys.exit(
        asyncio.run(_run(asked, Options(budget, age_key), style, tell, page, verbose=verbose, against=against_check))
    )


async def _run(
    asked: "Asked",
    options: "Options",
    style: str,
    tell: "Callable[[str], None]",
    page: Path | None,
    *,
    verbose: bool,
    against: bool,
) -> int:
    from rebirth.checking import proved
    from rebirth.console import width, write
    from rebirth.rehearse import forms, rehearsal, telling
    from rebirth.rehearse.disagreements import disagreements

    toolchain, programs = await rehearsal.programs(tell)
    async with proved(asked) as done:
        if len(done.proof.worlds) > 1:
            clusters = ", ".join(world.cluster for world in done.proof.worlds)
            raise SpecError(f"the repository has several clusters: {clusters}", hint="Name one of them with --cluster.")
        seen = await rehearsal.rehearse(done, toolchain, programs, options, tell)
        found = disagreements(done.proof.worlds[0], done.proof.findings, seen) if against else None
        if page:
            page.write_text(forms.page(seen), encoding="utf-8")
        if style == "json":
            write(json.dumps(telling.data(seen, done.places, found), indent=2) + "\n")
        elif style in forms.FORMS:
            write(forms.FORMS[style](seen, done.places))
        else:
            write(telling.text(seen, done.places, width=width(), verbose=verbose, against=found))
    return 0 if seen.came_up else 3
