"""The command `bundle`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from rebirth.terminal.options import HERE, Directory, examples

app = typer.Typer()


@app.command(
    epilog=examples("rebirth bundle", "rebirth bundle --dry-run", "rebirth bundle --offline --output report.tar.gz")
)
def bundle(
    directory: Directory = HERE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The archive. Default: one in this directory.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the systems outside.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what it would hold.")] = False,
) -> None:
    """Write an archive for a bug report: castle.yaml, journal, logs, versions, doctor's answers, all without secrets."""
    import asyncio

    from rebirth.bundle.archive import listed, write_archive
    from rebirth.bundle.contents import contents
    from rebirth.terminal.output import write

    found = asyncio.run(contents(directory, offline=offline))
    write(listed(found))
    if dry_run:
        return
    file = output or Path(f"rebirth-bundle-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.tar.gz")
    write_archive(file, found)
    write(f"written to {file}; look into it before you pass it on\n")
