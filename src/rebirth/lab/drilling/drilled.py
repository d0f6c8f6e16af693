"""The lab as a drill uses it: up, broken on purpose, mended, and measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rebirth.lab.state import LabState
from rebirth.lab.up import take, up


@dataclass(frozen=True)
class Drilled:
    """A lab by its name; `directory` is the castle's."""

    name: str
    directory: Path
    say: Callable[[str], None]

    @property
    def folder(self) -> Path:
        return self._state.folder

    @property
    def _state(self) -> LabState:
        return LabState(self.name)

    async def up(self) -> None:
        """It runs, and serves the castle's repository as the files are now. Raises Broken, SpecError."""
        await take(await up(self.name, self.directory, self.say), self.say)

    async def strike(self, system: str, fault: Mapping[str, Any]) -> None:
        """From now on that system misbehaves."""
        await self._state.ask(f"/faults/{system}", "POST", fault)

    async def mend(self) -> dict[str, int]:
        """From now on everything works; how often each system has misbehaved."""
        return dict(await self._state.ask("/faults", "DELETE"))

    def processes(self) -> list[int]:
        """All of the lab's, on this machine."""
        return self._state.holders()
