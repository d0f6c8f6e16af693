"""The commands fetch and cache."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rebirth.errors import SpecError
from rebirth.terminal.options import Castle, Clusters, Color, GitOps, Json, Quiet, examples, meant

if TYPE_CHECKING:
    from rebirth.fetch.progress import Silent, Terminal
    from rebirth.secrets import Redaction

app = typer.Typer()
_cache = typer.Typer(no_args_is_help=True, help="Show or remove what `rebirth fetch` has fetched.")
app.add_typer(_cache, name="cache")


@app.command(
    epilog=examples(
        "rebirth fetch",
        "rebirth fetch --gitops my-flux-repository --images small",
        "rebirth fetch --from /media/usb/charts",
    )
)
def fetch(
    castle: Castle = None,
    gitops: GitOps = None,
    cluster: Clusters = [],  # noqa: B006 - typer reads the default, nobody changes it
    images: Annotated[
        Literal["none", "small", "all"],
        typer.Option(metavar="WHICH", help="none, small (below --largest), or all of the images that pods run."),
    ] = "none",
    largest: Annotated[int, typer.Option(metavar="MIB", min=1, help="What a small image may have, compressed.")] = 100,
    platform: Annotated[str, typer.Option(metavar="OS/ARCH", help="Of images for several platforms.")] = "linux/amd64",
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="PATH", help="A folder or tar archive to import from, instead of the network."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Ask for what is there already, too.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    color: Color = "auto",
) -> None:
    """Fetch the charts, artifacts, repositories and images that a tree uses: for check, rehearse and the lab.

    What is there is not fetched again, and what was broken off goes on. Exit code 1: something could not be had.
    """
    import asyncio

    from rebirth.checking import Asked
    from rebirth.fetch import run, telling
    from rebirth.secrets import Redaction
    from rebirth.terminal.ending import Ending
    from rebirth.terminal.output import write

    redaction = Redaction()
    order = run.Order(Asked(meant(castle, gitops), gitops, cluster), images, largest << 20, platform, again, source)
    progress = _progress(redaction, silent=as_json or quiet)
    ending = Ending()
    try:
        with ending:
            answer = ending.run(run.fetch(order, progress, redaction))
    except (KeyboardInterrupt, asyncio.CancelledError):
        progress.close()
        sys.stderr.write("interrupted; what came is kept: run the same command again to go on\n")
        sys.exit(ending.exit_code)
    finally:
        progress.close()
    if as_json:
        write(telling.as_json(answer, redaction))
    elif not (quiet and answer.ok):
        write(telling.told(answer, redaction))
    sys.exit(0 if answer.ok else 1)


def _progress(redaction: "Redaction", *, silent: bool) -> "Silent | Terminal":
    from rebirth.fetch import progress

    if silent:
        return progress.Silent()
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return progress.Terminal(redaction)
    return progress.Lines(redaction)


@_cache.command("list", epilog=examples("rebirth cache list", "rebirth cache list --json"))
def list_(as_json: Json = False) -> None:
    """List what was fetched: what it is, how large, and when it was last used."""
    from rebirth.fetch.shown import as_json as in_json
    from rebirth.fetch.shown import as_text
    from rebirth.store.store import Store
    from rebirth.terminal.output import write

    write((in_json if as_json else as_text)(Store()))


@_cache.command("prune", epilog=examples("rebirth cache prune --unused-for 30", "rebirth cache prune --all --yes"))
def prune(
    unused_for: Annotated[
        float | None, typer.Option(metavar="DAYS", min=0.001, help="Remove what nobody has used for so many days.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Remove everything that was fetched.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove fetched things that are no longer used, or all of them."""
    from rebirth.fetch.shown import question, removed
    from rebirth.store import used
    from rebirth.store.store import Store
    from rebirth.terminal.output import write

    if every == (unused_for is not None):
        hint = "`--unused-for 30` removes what nobody has used for 30 days, `--all` everything."
        raise SpecError("either --unused-for or --all is needed", hint=hint)
    store = Store()
    if every and not yes and store.folder.exists():
        if not sys.stdin.isatty():
            raise SpecError("--all asks, and there is no terminal", hint="`--yes` does not ask.")
        if not typer.confirm(question(store)):
            raise typer.Exit(1)
    write(removed(used.prune(store, unused_for=(unused_for or 0.0) * 86400), store))
