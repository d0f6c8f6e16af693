"""What every command on a castle shares: the castle, its places, the listeners, and how it ends."""

import asyncio
import json
import sys
import time
import traceback
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from rebirth.castle import Castle, load
from rebirth.console import JsonLines, Lines, LiveView, Recorder, Silent, Steps, show_error
from rebirth.ending import Ending
from rebirth.errors import Broken, CannotTell, DoesNotHold, Rebirth, SpecError
from rebirth.events import Events
from rebirth.phases import PHASES
from rebirth.place import Place, place_of
from rebirth.report import page, text, timeline
from rebirth.run.create import verdicts
from rebirth.run.engine import Outcome
from rebirth.run.facts import SitesVisited
from rebirth.secrets import Redaction

T = TypeVar("T")
_View = Lines | LiveView | JsonLines | Silent | Steps
_PREPARING = {phase.name for phase in PHASES if phase.prepares}
LAYER_OF = {phase.name: phase.layer for phase in PHASES}


@dataclass
class Session:
    castle: Castle
    place: Place
    events: Events
    redaction: Redaction
    folder: Path  # this run's logs
    command: str
    view: _View
    quiet: bool  # only events on standard output
    ending: Ending

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """As asyncio.run, but a signal ends it in the way that all commands have in common."""
        return self.ending.run(work)

    def finish(self, outcome: Outcome) -> None:
        """Shows how the run ended, and ends the process with its code."""
        self.view.close()
        if not self.quiet and self.command == "create":
            ran = timeline.read(self.folder)
            if _worked(ran):
                _show(self.folder, earlier=_earlier(self.place.logs, self.folder))
            elif ran.ok:
                print(f"every fact still holds, nothing was done; looked in {ran.total:.1f} s")
        if visited := outcome.made(SitesVisited):
            for host, heading in [] if self.quiet else visited.headings.items():
                print(f"https://{host} says: {heading}")
        if self.command == "status" and not self.quiet:
            _show_facts(outcome)
        self._show_failures(outcome)
        if not outcome.ok:
            sys.stderr.write(f"the run's logs are in {self.folder}\n")
            sys.exit(max((error.exit_code for error in outcome.failures.values()), default=1))

    def _show_failures(self, outcome: Outcome) -> None:
        asked = self.command == "status"
        failures = {str(error): error for error in outcome.failures.values()}
        for error in failures.values():
            if not (asked and isinstance(error, DoesNotHold | CannotTell)):
                show_error(error, self.redaction)
        if asked and any(isinstance(error, DoesNotHold) for error in failures.values()):
            sys.stderr.write("hint: `rebirth create` makes true what does not hold.\n")
        elif outcome.skipped and not asked:
            sys.stderr.write(f"{len(outcome.skipped)} phases could not start: {', '.join(sorted(outcome.skipped))}\n")

    def say(self, words: str) -> None:
        """One line for the operator and for the run's folder, from what is no run of the graph."""
        line = self.redaction.redact(words)
        print(line, flush=True)
        with (self.folder / f"{self.command}.log").open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%H:%M:%S', time.gmtime())} {line}\n")


@contextmanager
def session(directory: Path, command: str, style: str) -> Iterator[Session]:
    """A run of `command` on the castle in `directory`."""
    castle = load(directory)
    place = place_of(directory, castle.secrets)
    redaction = Redaction()
    folder = place.logs / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    while folder.exists():
        folder = folder.with_name(folder.name + "+")
    if style not in {"text", "json"}:
        raise SpecError(f"--format: {style} is neither text nor json")
    try:
        recorder = Recorder(folder, redaction)
    except OSError as error:
        raise Broken(
            error.strerror or "cannot be written", system=str(folder), operation="open the run's logs"
        ) from None
    started = time.monotonic()
    view = _view(style, command, redaction)
    ending = Ending()
    try:
        with ending:
            yield Session(
                castle, place, Events(recorder, view), redaction, folder, command, view, style == "json", ending
            )
    except (KeyboardInterrupt, asyncio.CancelledError):
        if not ending.number:
            raise
        seconds = time.monotonic() - started
        with suppress(OSError):  # SIGHUP: the terminal is gone
            view.close()
            sys.stderr.write(
                f"interrupted by {ending.name} after {seconds:.1f} s; run the same command again to go on\n"
            )
        sys.exit(ending.exit_code)
    except (Rebirth, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - the trace goes into the log, redacted; bare it could show a secret
        trace = folder / "crash.log"
        trace.write_text(redaction.redact("".join(traceback.format_exception(error))), encoding="utf-8")
        hint = f"A defect: the trace is in {trace}."
        raise Broken(f"unexpected {type(error).__name__}", operation=command, hint=hint) from None
    finally:
        with suppress(OSError):
            view.close()
        recorder.close()


def _view(style: str, command: str, redaction: Redaction) -> _View:
    if style == "json":
        return JsonLines(redaction)
    if command == "status":
        return Silent()
    if command == "destroy":
        return Steps(redaction)
    return LiveView(redaction) if sys.stdout.isatty() else Lines(redaction)


def _show_facts(outcome: Outcome) -> None:
    for found in verdicts(outcome):
        print(f"{found.phase:24} {found.verdict}" + (f": {found.why}" if found.why else ""))


def _worked(run: timeline.Timeline) -> bool:
    """Whether the run did something, not only looked."""
    return any(span.outcome in {"done", "failed", "running"} and span.phase not in _PREPARING for span in run.spans)


def _earlier(logs: Path, folder: Path) -> timeline.Timeline | None:
    """The last run before that folder's that did the same."""
    for other in reversed([run for run in timeline.runs(logs) if run < folder]):
        found = timeline.read(other)
        if found.command == "create" and found.online is not None:
            return found
    return None


def _show(folder: Path, earlier: timeline.Timeline | None) -> None:
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(text.render(timeline.read(folder), LAYER_OF, earlier), highlight=False)


def show_report(directory: Path, style: str, wanted: str) -> None:
    """The report of a recorded run, on standard output."""
    castle = load(directory)
    logs = place_of(directory, castle.secrets).logs
    folder = _chosen(logs, wanted)
    if style == "json":
        print(json.dumps(timeline.as_data(timeline.read(folder), LAYER_OF), indent=2))
    elif style == "html":
        print(page.render(timeline.read(folder), LAYER_OF, _earlier(logs, folder)))
    elif style == "text":
        _show(folder, _earlier(logs, folder))
    else:
        raise SpecError(f"--format: {style} is none of text, json, html")


def _chosen(logs: Path, wanted: str) -> Path:
    """The run of that time, whole or its beginning; without one the last that did something."""
    known = {folder: timeline.read(folder) for folder in timeline.runs(logs)}
    created = [folder for folder, run in known.items() if run.command == "create" and folder.name.startswith(wanted)]
    best = [folder for folder in created if (folder.name == wanted if wanted else _worked(known[folder]))]
    if not created:
        raise SpecError(f"{logs}: no run {wanted or 'was recorded'}", hint="`rebirth create` records one.")
    return (best or created)[-1]
