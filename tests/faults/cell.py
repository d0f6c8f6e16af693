"""One cell of the fault matrix: a system, what is wrong with it, and a phase meanwhile."""

import asyncio
import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

from faults.scenes import PASSWORD, Scene
from faults.stage import PATIENCE, Destroying, Ending, Stage

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
        return "" if self.survived else self.plain(str(self.ending.failure))

    @property
    def hint(self) -> str:
        return "" if self.survived else self.plain(self.ending.failure.hint)

    def plain(self, text: str) -> str:
        text = re.sub(r"gave up after \d+ s", "gave up", text.replace(str(self.stage.folder), "CASTLE"))
        text = re.sub(r"\(\d{6,}\)", "(ID)", text)  # of a device
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
        if len(failures) != 1 and not isinstance(seen.stage, Destroying):
            found.append(f"{len(failures)} messages instead of one")
        for failure in failures.values():
            if not failure.hint:
                found.append("no hint")
            if _TRACE.search(f"{failure} {failure.hint}"):
                found.append("taken for a bug")
            if (cell.names or cell.system).lower() not in seen.plain(str(failure)).lower():
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
    found += [f"is not of Proxmox' published API: {words}" for words in seen.stage.published.violations]
    return found + _shown(seen)


def _shown(seen: Seen) -> list[str]:
    """Secrets in what was written or said, in arguments and environments of programs, and credentials that others may read."""
    stage, found = seen.stage, list[str]()
    said = stage.shown().decode(errors="replace") + f"{seen.message} {seen.hint}"
    arguments = "\n".join(word for call in stage.programs.calls for word in call.argv)
    # git gets its token so: ps(1) shows environments to their owner alone.
    given = "\n".join(
        value for call in stage.programs.calls for name, value in call.env.items() if name != "REBIRTH_GIT_TOKEN"
    )
    canaries = {name: value.reveal() for name, value in stage.secrets.values.items()} | {
        "what is handed over": PASSWORD
    }
    for name, value in canaries.items():
        for where, text in (("a file or message", said), ("an argument", arguments), ("an environment", given)):
            if any(form in text for form in forms(value)):
                found.append(f"{where} shows {name}")
    for file in stage.paths.produced.rglob("*"):
        if file.is_file() and file != stage.paths.kubeconfig and file.stat().st_mode & 0o077:
            found.append(f"others may read {file.name}")
    return found


def forms(value: str) -> Iterator[str]:
    """The value as it is, in URLs, in JSON, and in base64 at each of the places where it can begin."""
    yield from {value, quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]}
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + value.encode() + b"xyz").decode()
        yield encoded[4:-8]
