"""The live view of a run on a terminal: what runs now is redrawn in place, what has ended scrolls above it."""

import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from rebirth import events as e
from rebirth.console import Progress, briefly, is_shown
from rebirth.secrets import Redaction

_NAMES = 25  # columns of a phase's name
_TIME, _MARK = 8, 2
_WORDS = _TIME + _MARK + _NAMES  # the column in which words begin
_LEAST = 40  # columns that words need beside the name; with fewer they stand below it
_MARGIN = 10


@dataclass
class _Running:
    since: float
    waits: dict[str, str] = field(default_factory=dict)  # what is waited for -> all in words


class LiveView:
    """A listener. Each wait is shown whole, on as many lines as it takes, while the screen has room for it."""

    def __init__(
        self,
        redaction: Redaction,
        console: Console | None = None,
        *,
        verbose: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redaction, self._verbose, self._clock = redaction, verbose, clock
        self._progress = Progress()
        self._running: dict[str, _Running] = {}
        self._console = console or Console()
        self._live = Live(console=self._console, get_renderable=self._screen, refresh_per_second=5, transient=True)
        self._live.start()

    def __call__(self, event: e.Event) -> None:
        self._progress(event)
        if not isinstance(event, e.PhaseEvent):
            return
        self._follow(event)
        if isinstance(event, e.PhaseStarted | e.PhaseRetried | e.Arrived) and not self._verbose:
            return
        if is_shown(event, verbose=self._verbose):
            self._print(event)

    def _follow(self, event: e.PhaseEvent) -> None:
        """What is running, and what each of it waits for."""
        words = briefly(event, self._redaction)
        if isinstance(event, e.PhaseStarted | e.Waiting | e.PhaseRetried | e.Arrived):
            running = self._running.setdefault(event.phase, _Running(event.at))
            if isinstance(event, e.PhaseStarted):
                running.waits = {}
            elif isinstance(event, e.Arrived):
                running.waits.pop(event.what, None)
            elif isinstance(event, e.Waiting):
                running.waits[event.what] = words
            else:
                running.waits = {"": words}

    def _print(self, event: e.PhaseEvent) -> None:
        words, style, mark = briefly(event, self._redaction), "dim", "·"
        if isinstance(event, e.PhaseDone | e.PhaseHolds | e.PhaseFailed):
            ran = self._running.pop(event.phase, _Running(event.at))
            style, mark = ("red", "✗") if isinstance(event, e.PhaseFailed) else ("green", "✓")
            if isinstance(event, e.PhaseDone):
                words = f"in {event.at - ran.since:.1f} s"
        at = f"{event.at - self._progress.since:6.1f}s"
        for line in self._block(
            [(at + " ", "dim"), (f"{mark} ", style), (f"{event.phase:{_NAMES - 1}} ", "")], [words]
        ):
            self._console.print(line, highlight=False, soft_wrap=True)

    def _block(self, head: list[tuple[str, str]], said: list[str], style: str = "") -> list[Text]:
        """A line that begins with `head`, and what is said, folded: beside it where that fits, else below it."""
        room = self._console.width - _WORDS - 1
        first = Text.assemble(*head)
        if len(said) == 1 and len(said[0]) <= room:
            return [first.append(said[0], style=style)]
        if room >= _LEAST:
            folded = [line for words in said for line in _folded(words, room)]
            first.append(folded[0] if folded else "", style=style)
            return [first, *(Text(" " * _WORDS).append(line, style=style) for line in folded[1:])]
        first.rstrip()
        folded = [line for words in said for line in _folded(words, self._console.width - _MARGIN - 1)]
        return [first, *(Text(" " * _MARGIN).append(line, style=style) for line in folded)]

    def _screen(self) -> Group:
        """What runs, and how far the run is: never higher than the terminal."""
        now = self._clock()
        running = list(self._running.items())  # at once: another thread draws than the one that hears of events
        blocks = [self._row(phase, one, now) for phase, one in running]
        room = max(1, self._console.height - 2)
        lines = list(_fitted(blocks, room))
        return Group(*lines, self._footer(now))

    def _row(self, phase: str, running: _Running, now: float) -> list[Text]:
        head = [
            (f"{now - running.since:6.1f}s ", "dim"),
            ("… ", "cyan"),
            (f"{phase:{_NAMES - 1}} ", ""),
        ]
        return self._block(head, list(running.waits.values()), "dim")

    def _footer(self, now: float) -> Text:
        passed = now - self._progress.since
        words = [f"{passed:6.1f}s", f"{self._progress.count} steps" if self._progress.count else ""]
        if (predicted := self._progress.predicted) is not None:
            words.append(f"online is predicted after {predicted:.0f} s")
        return Text("  ".join(filter(None, words)), style="bold")

    def close(self) -> None:
        self._running.clear()
        self._live.stop()


def _folded(words: str, room: int) -> list[str]:
    return textwrap.wrap(words, max(room, 10), break_on_hyphens=False)


def _fitted(blocks: list[list[Text]], room: int) -> Iterator[Text]:
    """The blocks in `room` lines: every phase keeps its first line, and the longest texts lose their ends first."""
    if len(blocks) > room:
        yield from (block[0] for block in blocks[: room - 1])
        yield Text(f"{'':{_MARGIN}}and {len(blocks) - room + 1} more", style="dim")
        return
    most = max((len(block) for block in blocks), default=0)
    while sum(min(len(block), most) for block in blocks) > room:
        most -= 1
    for block in blocks:
        yield from block[:most]
        if len(block) > most:
            block[most - 1].append(" …", style="dim")
