"""Runs a program: the only place that does. Secrets go in through standard input, the environment or files, never arguments."""

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    def __init__(self, program: str, operation: str, code: int, said: str, *, hint: str = "") -> None:
        super().__init__(
            f"exited with {code}: {said}" if said else f"exited with {code}",
            system=program,
            operation=operation,
            status=code,
            hint=hint,
        )
        self.said = said

    def advised(self, advice: Mapping[str, str], otherwise: str) -> "ProgramFailed":
        """The same with what to do: that of the first of these words (regular expressions) that the program has said."""
        hint = next((hint for words, hint in advice.items() if re.search(words, self.said)), otherwise)
        return ProgramFailed(self.system, self.operation, self.status or 0, self.said, hint=hint)


class Commands:
    """Runs programs found on PATH, with what they say redacted before it reaches an error."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self.failed = False  # whether a program did not do what it was asked: perhaps it does the next time

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
        both: bool = False,
    ) -> str:
        """What `read` returns, as text."""
        said = await self.read(argv, operation=operation, stdin=stdin, env=env, cwd=cwd, both=both)
        return said.decode(errors="replace")

    async def read(
        self,
        argv: Sequence[str],
        *,
        operation: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        both: bool = False,
    ) -> bytes:
        """The program's standard output, with `both` also what it said on standard error (unredacted: not for people).

        Raises ProgramFailed, or Broken where the program is not there.

        Its environment is this process's without the castle's secrets, and `env`.
        """
        pipe = asyncio.subprocess.PIPE
        process = await self._start(argv, operation, env, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            said, complained = await process.communicate(stdin)
        except asyncio.CancelledError:
            self.failed = True
            await _end(process)
            raise
        if process.returncode:
            self.failed = True
            words = complained.decode(errors="replace").strip() or said.decode(errors="replace").strip()
            lines = self._redaction.redact(words).splitlines()[-_LINES:]
            last = "; ".join(line.strip() for line in lines if line.strip())
            raise ProgramFailed(argv[0], operation, process.returncode, last)
        return said + complained if both else said

    @asynccontextmanager
    async def started(
        self, argv: Sequence[str], *, operation: str, output: Path, errors: Path, cwd: Path | None = None
    ) -> AsyncIterator["Program"]:
        """A program that runs beside the block, and is ended with it; what it says goes to files. Raises Broken."""
        with output.open("wb") as said, errors.open("ab") as complained:
            process = await self._start(
                argv, operation, None, cwd=cwd, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=complained
            )
        try:
            yield Program(process)
        finally:
            await _end(process)

    async def _start(
        self, argv: Sequence[str], operation: str, env: Mapping[str, str] | None, **options: Any
    ) -> asyncio.subprocess.Process:
        environment = {**_without_secrets(os.environ), **(env or {})}
        if shutil.which(argv[0], path=environment.get("PATH")) is None:
            hint = HINTS.get(argv[0], "")
            raise Broken("the program is not on PATH", system=argv[0], operation=operation, hint=hint)
        starting = asyncio.gather(
            asyncio.create_subprocess_exec(*tied(), *argv, env=environment, start_new_session=True, **options)
        )
        try:
            (process,) = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Cancelled itself, it would kill the program alone, and wait for its pipes.
            (process,) = await starting
            await _end(process)
            raise
        return process


@dataclass(frozen=True)
class Program:
    """One that runs."""

    _process: asyncio.subprocess.Process

    async def ended(self) -> int:
        """Its exit code, when it has ended; 128 + N where signal N ended it."""
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    def ask_to_end(self) -> None:
        """As Ctrl-C would, and with the same patience: it ends what it has started, and says so."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """With all that it has started in its session."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
