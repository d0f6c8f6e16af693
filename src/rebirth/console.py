"""Listeners of a run: what the operator sees, and the run's log folder. Redaction stands before every sink."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from rebirth import events as e
from rebirth.errors import Rebirth
from rebirth.secrets import Redaction

_Redact = Callable[[str], str]


def show_error(error: Rebirth, redaction: Redaction | None = None) -> None:
    """Message and hint on standard error."""
    redact: _Redact = redaction.redact if redaction else str
    for line in redact(str(error)).splitlines() or [""]:
        sys.stderr.write(f"error: {line}\n")
    if error.hint:
        sys.stderr.write(f"hint: {redact(error.hint)}\n")


def _as_json(event: e.Event, redaction: Redaction) -> str:
    """One line. Redacted before it is JSON: escapes would hide a secret with quotes or umlauts from the redaction."""
    fields = {name: _redacted(value, redaction) for name, value in asdict(event).items()}
    return json.dumps({"event": type(event).__name__, **fields}) + "\n"


def _redacted(value: object, redaction: Redaction) -> object:
    if isinstance(value, str):
        return redaction.redact(value)
    return [_redacted(item, redaction) for item in value] if isinstance(value, list | tuple) else value


class Recorder:
    """A run's folder: events.jsonl, and one log file for each phase."""

    def __init__(self, folder: Path, redaction: Redaction) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._redaction = folder, redaction
        self._events: IO[str] = (folder / "events.jsonl").open("a", encoding="utf-8")

    def __call__(self, event: e.Event) -> None:
        self._events.write(_as_json(event, self._redaction))
        self._events.flush()
        if isinstance(event, e.PhaseEvent):
            stamp = time.strftime("%H:%M:%S", time.gmtime(event.at)) + f".{int(event.at % 1 * 1000):03d}"
            line = f"{stamp} {describe(event)}\n" + (event.trace if isinstance(event, e.PhaseFailed) else "")
            with (self.folder / f"{event.phase}.log").open("a", encoding="utf-8") as log:
                log.write(self._redaction.redact(line))

    def close(self) -> None:
        self._events.close()


def _briefly(event: e.Event, redaction: Redaction) -> str:
    """In one line, redacted before it is folded; what a failure says in full comes when the run has ended."""
    if isinstance(event, e.PhaseFailed):
        first, *others = redaction.redact(event.error).splitlines() or [""]
        return f"FAILED: {first}" + (f" (and {len(others)} more)" if others else "")
    return " ".join(redaction.redact(describe(event)).split())


def describe(event: e.Event) -> str:  # noqa: C901 - one case an event
    """An event of a phase in words, without the phase's name."""
    match event:
        case e.PhaseReady(last=last):
            return f"can start: {last} is done" if last else "can start"
        case e.PhaseStarted(attempt=1):
            return "started"
        case e.PhaseStarted(attempt=attempt):
            return f"attempt {attempt}"
        case e.PhaseHolds():
            return "still holds"
        case e.PhaseDone():
            return "done"
        case e.PhaseFailed(error=error, hint=hint):
            return f"FAILED: {error}" + (f" (hint: {hint})" if hint else "")
        case e.PhaseSkipped(because=because):
            return f"skipped: {because} failed"
        case e.PhaseRetried(error=error, delay=delay):
            return f"not yet: {error}; again in {delay:g} s"
        case e.Waiting(what=what, seen=seen):
            return f"waits until {what}: {seen}"
        case e.Arrived(what=what, seconds=seconds):
            return f"{what} (after {seconds:.1f} s)"
        case e.Noted(text=text) | e.Nudged(text=text):
            return text
        case e.BecameReady(node=node):
            return f"{node} is Ready"
    return type(event).__name__


# For the phase's log alone: nothing that a person who watches has to know.
_FOR_LOGS = (e.BecameReady, e.Nudged)


class Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, redaction: Redaction, out: IO[str] = sys.stdout) -> None:
        self._redaction, self._out, self._since = redaction, out, time.time()

    def __call__(self, event: e.Event) -> None:
        if isinstance(event, e.PhaseEvent) and not isinstance(
            event, (e.Waiting, e.PhaseReady, e.PhaseSkipped, *_FOR_LOGS)
        ):
            line = f"{event.at - self._since:7.1f}s  {event.phase:24} {_briefly(event, self._redaction)}"
            self._out.write(line + "\n")
            self._out.flush()

    def close(self) -> None:
        pass


class Steps:
    """For destroy: a line for each thing that is done, and for what it waits for, again every now and then."""

    _AGAIN = 15.0  # seconds

    def __init__(self, redaction: Redaction, out: IO[str] = sys.stdout) -> None:
        self._redaction, self._out = redaction, out
        self._told: dict[str, float] = {}

    def __call__(self, event: e.Event) -> None:
        match event:
            case e.Noted(text=text):
                self._print(text)
            case e.PhaseRetried(error=error) if event.at - self._told.get(error, 0.0) >= self._AGAIN:
                self._told[error] = event.at
                self._print(f"waiting: {error}")
            case e.Waiting(what=what, seen=seen):
                self._print(f"waiting: {what}: {seen}")

    def _print(self, words: str) -> None:
        self._out.write(" ".join(self._redaction.redact(words).split()) + "\n")
        self._out.flush()

    def close(self) -> None:
        pass


class JsonLines:
    """Every event as a line of JSON."""

    def __init__(self, redaction: Redaction, out: IO[str] = sys.stdout) -> None:
        self._redaction, self._out = redaction, out

    def __call__(self, event: e.Event) -> None:
        self._out.write(_as_json(event, self._redaction))
        self._out.flush()

    def close(self) -> None:
        pass


class Silent:
    """Nothing while it runs: the answer comes as a whole at the end."""

    def __call__(self, event: e.Event) -> None:
        pass

    def close(self) -> None:
        pass


class LiveView:
    """What runs now, redrawn in place; what has ended scrolls above it."""

    def __init__(self, redaction: Redaction, console: Console | None = None) -> None:
        self._redaction, self._since = redaction, time.time()
        self._running: dict[str, tuple[float, str]] = {}
        self._live = Live(
            console=console or Console(), get_renderable=self._table, refresh_per_second=5, transient=True
        )
        self._live.start()

    def __call__(self, event: e.Event) -> None:
        if not isinstance(event, e.PhaseEvent):
            return
        words = _briefly(event, self._redaction)
        if isinstance(event, e.PhaseStarted | e.Waiting | e.PhaseRetried | e.Arrived):
            since, seen = self._running.get(event.phase, (event.at, ""))
            self._running[event.phase] = (since, "" if isinstance(event, e.PhaseStarted | e.Arrived) else words or seen)
        elif isinstance(event, e.Noted):
            self._print(event, "dim", "·", words)
        elif isinstance(event, e.PhaseDone | e.PhaseHolds):
            started, _ = self._running.pop(event.phase, (event.at, ""))
            took = f"in {event.at - started:.1f} s" if isinstance(event, e.PhaseDone) else "still holds"
            self._print(event, "green", "✓", took)
        elif isinstance(event, e.PhaseFailed):
            self._running.pop(event.phase, None)
            self._print(event, "red", "✗", words)

    def _print(self, event: e.PhaseEvent, style: str, mark: str, words: str) -> None:
        at = f"{event.at - self._since:6.1f}s"
        self._live.console.print(f"[dim]{at}[/] [{style}]{mark}[/] {event.phase:24} {escape(words)}", highlight=False)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        now = time.time()
        for phase, (since, words) in self._running.items():
            width = max(20, self._live.console.width - 44)
            line = " ".join(words.split())
            shown = line if len(line) <= width else line[: width - 1] + "…"
            table.add_row(
                f"[dim]{now - self._since:6.1f}s[/]",
                "[cyan]…[/]",
                f"{phase:24}",
                f"{now - since:5.1f}s",
                Text(shown, style="dim"),
            )
        return table

    def close(self) -> None:
        self._live.stop()
