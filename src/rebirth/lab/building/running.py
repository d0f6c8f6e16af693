"""Runs the programs that build what the lab runs."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from rebirth.errors import Broken


async def run(*argv: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What the program says; it ends with whoever waits for it. Raises Broken with its last lines."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=cwd, env={**os.environ, **(env or {})}, stdout=pipe, stderr=pipe
        )
    except FileNotFoundError:
        hint = "Install Go 1.26 or later: https://go.dev/dl" if argv[0] == "go" else f"Install {argv[0]}."
        raise Broken("the program is not on PATH", operation=argv[0], hint=hint) from None
    try:
        said, complained = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode:
        last = "\n".join(complained.decode(errors="replace").splitlines()[-20:])
        raise Broken(
            f"ended with {process.returncode}:\n{last}", system=cwd.name if cwd else "go", operation=" ".join(argv[:2])
        )
    return said.decode()
