"""Programs that a test answers for, at the product's command runner: none has to be on PATH."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import Broken
from rebirth.secrets import Redaction


@dataclass(frozen=True)
class Call:
    argv: tuple[str, ...]
    stdin: bytes
    env: Mapping[str, str]

    def option(self, name: str) -> str:
        """The value behind an option; empty where it is not given."""
        return self.argv[self.argv.index(name) + 1] if name in self.argv else ""


class Exit(Exception):  # noqa: N818 - how a program ends
    """A program ends with a code other than 0, and says why on standard error."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said


Program = Callable[[Call], Awaitable[str]]


class Programs(Commands):
    """Runs what stands in for a program. `calls` are all that was run."""

    def __init__(self, **programs: Program) -> None:
        super().__init__(Redaction())
        self.programs, self.calls = programs, list[Call]()

    def require(self, *programs: str) -> None:
        if missing := [name for name in programs if name not in self.programs]:
            raise Broken(f"{', '.join(missing)} is not on PATH", operation="find programs")

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
        call = Call(tuple(argv), stdin, env or {})
        self.calls.append(call)
        if argv[0] not in self.programs:
            raise Broken("the program is not on PATH", system=argv[0], operation=operation)
        try:
            return await self.programs[argv[0]](call)
        except Exit as end:
            raise ProgramFailed(argv[0], operation, end.code, end.said) from None
