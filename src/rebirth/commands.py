"""Runs a program: the only place that does. Secrets go in through standard input, the environment or files, never arguments."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rebirth.errors import Broken
from rebirth.secrets import VARIABLE, Redaction

_LINES = 8  # of a failed program's words that its error carries
HINTS = {  # what to do where a program is missing
    "talosctl": "Install talosctl: https://www.talos.dev/latest/talos-guides/install/talosctl/",
    "helm": "Install Helm 3: https://helm.sh/docs/intro/install/",
    "git": "Install git.",
    "ssh-agent": "Install the OpenSSH client.",
    "flux": "Install the flux CLI, or commit `<path>/flux-system` with its manifests to the repository.",
}


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(VARIABLE)}


def tied() -> tuple[str, ...]:
    """What lets the kernel kill a program when this process is killed: nobody else would then end it.

    Not a preexec_fn, which is unsafe beside threads and copies this process for every program. Where setpriv(1) is
    missing, programs of a killed run go on until they end; nothing that they write is in the way of the next run.
    """
    return ("setpriv", "--pdeathsig", "KILL") if sys.platform == "linux" and shutil.which("setpriv") else ()


async def _end(process: asyncio.subprocess.Process) -> None:
    """The whole group: git's helpers outlive git, and hold the pipes that wait() waits for."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


class ProgramFailed(Broken):
    """A program ended with a code other than 0; `said` are its last lines, redacted."""

    def __init__(self, program: str, operation: str, code: int, said: str) -> None:
        super().__init__(
            f"exited with {code}: {said}" if said else f"exited with {code}",
            system=program,
            operation=operation,
            status=code,
        )
        self.said = said


class Commands:
    """Runs programs found on PATH, with what they say redacted before it reaches an error."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    def require(self, *programs: str) -> None:
        """Raises Broken where one of the programs is not on PATH."""
        if missing := [program for program in programs if shutil.which(program) is None]:
            hint = " ".join(HINTS.get(program, "") for program in missing)
            verb = "is" if len(missing) == 1 else "are"
            raise Broken(f"{', '.join(missing)} {verb} not on PATH", operation="find programs", hint=hint)

    async def run(
        self,
        argv: Sequence[str],
        *,
        operation: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> str:
        """The program's standard output. Raises ProgramFailed, or Broken where the program is not there.

        Its environment is this process's without the castle's secrets, and `env`.
        """
        environment = {**_without_secrets(os.environ), **(env or {})}
        if shutil.which(argv[0], path=environment.get("PATH")) is None:
            hint = HINTS.get(argv[0], "")
            raise Broken("the program is not on PATH", system=argv[0], operation=operation, hint=hint)
        pipe = asyncio.subprocess.PIPE
        starting = asyncio.gather(
            asyncio.create_subprocess_exec(
                *tied(),
                *argv,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=environment,
                cwd=cwd,
                start_new_session=True,
            )
        )
        try:
            (process,) = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Cancelled itself, it would kill the program alone, and wait for its pipes.
            (process,) = await starting
            await _end(process)
            raise
        try:
            said, complained = await process.communicate(stdin)
        except asyncio.CancelledError:
            await _end(process)
            raise
        if process.returncode:
            words = complained.decode(errors="replace").strip() or said.decode(errors="replace").strip()
            lines = self._redaction.redact(words).splitlines()[-_LINES:]
            last = "; ".join(line.strip() for line in lines if line.strip())
            raise ProgramFailed(argv[0], operation, process.returncode, last)
        return said.decode(errors="replace")
