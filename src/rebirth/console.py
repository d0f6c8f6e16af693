"""Listeners of a run: what the operator sees, and the run's log folder. Redaction stands before every sink."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

from rebirth import events as e
from rebirth.errors import Rebirth
from rebirth.secrets import Redaction

_Redact = Callable[[str], str]
_PAUSE = 10.0  # seconds between two lines that say what the same phase waits for


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


def briefly(event: e.Event, redaction: Redaction) -> str:
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
            return "in place already"
        case e.PhaseDone():
            return "done"
        case e.PhaseFailed(error=error, hint=hint):
            return f"FAILED: {error}" + (f" (hint: {hint})" if hint else "")
        case e.PhaseSkipped(because=because):
            return f"skipped: {because} failed"
        case e.PhaseRetried(error=error, delay=delay):
            return f"not yet: {error}; retrying in {delay:g} s"
        case e.Waiting(what=what, seen=seen):
            return f"waits until {what}: {seen}"
        case e.Arrived(what=what, seconds=seconds):
            return f"{what} (after {seconds:.1f} s)"
        case e.Noted(text=text) | e.Nudged(text=text):
            return text
        case e.BecameReady(node=node):
            return f"{node} is Ready"
    return type(event).__name__


def is_shown(event: e.Event, *, verbose: bool = False) -> bool:
    """Whether a person sees it: how phases end, what they retry and what they note. The rest, such as nudges, is in the logs."""
    if type(event) in {e.PhaseStarted, e.PhaseHolds, e.PhaseDone, e.PhaseFailed, e.PhaseRetried, e.Arrived, e.Noted}:
        return True
    return verbose and isinstance(event, e.PhaseEvent) and not isinstance(event, e.Waiting)


class Progress:
    """How far a run is: steps that have ended of all, and the time that the plan predicts."""

    def __init__(self) -> None:
        self.since = time.time()
        self.total = 0  # 0: nobody knows how many there will be
        self.predicted: float | None = None  # seconds until online
        self._ended: set[str] = set()

    def __call__(self, event: e.Event) -> None:
        if isinstance(event, e.RunStarted):
            self.since = event.at
            self.total = len(event.phases) if event.command == "create" else 0
        elif isinstance(event, e.Checked):
            self.predicted = event.online
        elif isinstance(event, e.PhaseDone | e.PhaseHolds | e.PhaseFailed | e.PhaseSkipped):
            self._ended.add(event.phase)

    @property
    def count(self) -> str:
        return f"{len(self._ended)} of {self.total}" if self.total else ""


class Lines:
    """Plain lines, for logs and pipes. Of what a phase waits for it gets a line when that changes, not more than one in 10 s."""

    def __init__(self, redaction: Redaction, out: IO[str] = sys.stdout, *, verbose: bool = False) -> None:
        self._redaction, self._out, self._verbose = redaction, out, verbose
        self._progress = Progress()
        self._spoke: dict[str, float] = {}  # phase -> when a wait of it was printed
        self._unsaid: dict[str, e.Waiting] = {}  # phase -> its newest wait, which comes when the pause is over

    def __call__(self, event: e.Event) -> None:
        self._progress(event)
        if isinstance(event, e.Waiting):
            self._wait(event)
        elif isinstance(event, e.PhaseEvent):
            if isinstance(event, e.PhaseDone | e.PhaseHolds | e.PhaseFailed | e.Arrived):
                self._unsaid.pop(event.phase, None)
            if is_shown(event, verbose=self._verbose):
                ended = isinstance(event, e.PhaseDone | e.PhaseHolds) and self._progress.count
                self._print(event, event.at, f" ({ended})" if ended else "")

    def _wait(self, event: e.Waiting) -> None:
        left = self._spoke.get(event.phase, event.at - _PAUSE) + _PAUSE - event.at
        if left <= 0:
            self._spoke[event.phase] = event.at
            self._unsaid.pop(event.phase, None)
            self._print(event, event.at)
            return
        first = event.phase not in self._unsaid
        self._unsaid[event.phase] = event
        with suppress(RuntimeError):  # outside of a run nothing calls later
            if first:
                asyncio.get_running_loop().call_later(left, self._say_late, event.phase)

    def _say_late(self, phase: str) -> None:
        if event := self._unsaid.pop(phase, None):
            self._spoke[phase] = now = time.time()
            self._print(event, now)

    def _print(self, event: e.PhaseEvent, at: float, end: str = "") -> None:
        words = briefly(event, self._redaction) + end
        self._out.write(f"{at - self._progress.since:7.1f}s  {event.phase:24} {words}\n")
        self._out.flush()

    def close(self) -> None:
        self._unsaid.clear()


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
