"""How far a fetch is: bars on a terminal, a line for each thing that is done in a pipe, nothing where a program reads."""

from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, SpinnerColumn, TaskID, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from rebirth.fetch.fetching import FAILED, FETCHED, LARGE, Outcome, Task
from rebirth.fetch.things import AnyThing
from rebirth.secrets import Redaction
from rebirth.terminal.output import write

_MARKS = {FETCHED: ("✓", "green"), FAILED: ("✗", "red"), LARGE: ("·", "dim")}


def size(number: int) -> str:
    """Bytes in words."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number} B"


def _words(outcome: Outcome, redaction: Redaction) -> str:
    label = outcome.thing.label
    if outcome.state == FAILED:
        return redaction.redact(f"{label}: {str(outcome.error).splitlines()[0]}")
    if outcome.state == LARGE:
        return f"{label}: left out, it has {size(outcome.size)}"
    return f"{label} ({size(outcome.size)})" if outcome.size else label


class Nothing:
    """A task that nobody looks at."""

    def expect(self, size: int) -> None:
        pass

    def count(self, size: int) -> None:
        pass


class Silent:
    def begin(self, thing: AnyThing) -> Task:
        return Nothing()

    def end(self, task: Task, outcome: Outcome) -> None:
        pass

    def say(self, words: str) -> None:
        pass

    def close(self) -> None:
        pass


class Lines(Silent):
    """What was there already is not worth a line."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    def end(self, task: Task, outcome: Outcome) -> None:
        if outcome.state in _MARKS:
            write(f"{outcome.state:9} {_words(outcome, self._redaction)}\n")

    def say(self, words: str) -> None:
        write(f"{'waiting':9} {self._redaction.redact(words)}\n")


@dataclass
class _Bar:
    bars: Bars
    own: TaskID

    def expect(self, size: int) -> None:
        self.bars.update(self.own, total=size)

    def count(self, size: int) -> None:
        self.bars.advance(self.own, size)


class Terminal:
    """A bar for each thing that is being fetched; what is done scrolls above."""

    def __init__(self, redaction: Redaction, console: Console | None = None) -> None:
        self._redaction = redaction
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
        )
        self._bars = Bars(*columns, console=console or Console(), transient=True)
        self._bars.start()

    def begin(self, thing: AnyThing) -> Task:
        room = max(20, self._bars.console.width - 55)
        label = thing.label if len(thing.label) <= room else f"{thing.label[: room - 1]}…"
        own = self._bars.add_task(label, total=None)
        return _Bar(self._bars, own)

    def end(self, task: Task, outcome: Outcome) -> None:
        if isinstance(task, _Bar):
            with suppress(KeyError):
                self._bars.remove_task(task.own)
        if outcome.state in _MARKS:
            mark, style = _MARKS[outcome.state]
            line = Text.assemble((f"{mark} ", style), _words(outcome, self._redaction))
            self._bars.console.print(line, highlight=False, soft_wrap=True)

    def say(self, words: str) -> None:
        line = Text(f"· {self._redaction.redact(words)}", style="dim")
        self._bars.console.print(line, highlight=False, soft_wrap=True)

    def close(self) -> None:
        self._bars.stop()
