"""One cell of the fault matrix: a system, what is wrong with it, and a phase meanwhile."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faults.scenes import Scene
from faults.stage import PATIENCE, Ending, Stage

AT_ONCE = 10.0  # seconds within which what does not mend by itself has to be said
Arrange = Callable[[Stage], None]


@dataclass(frozen=True)
class Cell:
    system: str
    fault: str  # in words
    scene: Scene
    arrange: Arrange
    names: str = ""  # what the message calls the system, where not by its name here

    @property
    def kind(self) -> str:
        """What is wrong, however long it lasts."""
        return self.fault.partition(", for ")[0]

    @property
    def phase(self) -> str:
        return self.scene.__name__

    def __str__(self) -> str:
        return f"{self.system}, {self.fault}, {self.phase}"


@dataclass(frozen=True)
class Seen:
    """How a cell ended, and whether the next run ended well when nothing was wrong any more."""

    stage: Stage
    ending: Ending
    later: Ending | None

    @property
    def survived(self) -> bool:
        return self.ending.outcome.ok

    @property
    def when(self) -> str:
        if self.survived:
            return "goes on"
        return "ends at once" if self.ending.seconds < AT_ONCE else "ends when patience is over"

    @property
    def message(self) -> str:
        """What the operator is told, without what is another each time."""
        return "" if self.survived else self._plain(str(self.ending.failure))

    @property
    def hint(self) -> str:
        return "" if self.survived else self._plain(self.ending.failure.hint)

    def _plain(self, text: str) -> str:
        text = re.sub(r"gave up after \d+ s", "gave up", text.replace(str(self.stage.folder), "CASTLE"))
        return " ".join(text.split())


async def played(cell: Cell, folder: Path) -> Seen:
    """The cell, in a folder of its own."""
    stage = cell.scene(folder)
    cell.arrange(stage)
    ending = await stage.run()
    later = None
    if not ending.outcome.ok:
        await asyncio.sleep(60)  # controllers come to rest
        stage.mend()
        later = await stage.run()
    return Seen(stage, ending, later)


_TRACE = re.compile(r"unexpected \w+(Error|Exception)|internal error|Traceback|This is a bug")


def complaints(cell: Cell, seen: Seen) -> list[str]:
    """What is not as it has to be, in words; none where the cell is sound."""
    found: list[str] = []
    if not seen.survived:
        failures = seen.ending.outcome.failures
        if len(failures) != 1:
            found.append(f"{len(failures)} messages instead of one")
        if not seen.hint:
            found.append("no hint")
        if _TRACE.search(f"{seen.message} {seen.hint}"):
            found.append("taken for a bug")
        if (cell.names or cell.system).lower() not in seen.message.lower():
            found.append(f"does not name {cell.names or cell.system}")
        if len(seen.message) > 600:
            found.append("the message is a page long")
    if seen.later is not None and not seen.later.outcome.ok:
        found.append(f"and does not go on when all is well: {list(seen.later.outcome.failures.values())}")
    limit = PATIENCE + 31  # one time-out of a client, which a thread waits for
    if seen.ending.seconds > limit:
        found.append(f"took {seen.ending.seconds:.0f} s, and patience ends at {limit:.0f}")
    if scraps := seen.stage.scraps():
        found.append(f"left {scraps}")
    said = seen.stage.shown() + f"{seen.message} {seen.hint}".encode()
    found += [f"shows {name}" for name, value in seen.stage.secrets.values.items() if value.reveal().encode() in said]
    if b"canary-born" in said:
        found.append("shows what was handed over")
    return found
