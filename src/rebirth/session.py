"""What every command on a castle shares: the castle, its places, the listeners, and how it ends."""

import asyncio
import json
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from rebirth.castle import Castle, load
from rebirth.console import JsonLines, Lines, Recorder, Silent, Steps, show_error
from rebirth.errors import Broken, CannotTell, DoesNotHold, Rebirth, SpecError, of_this_machine
from rebirth.events import Events
from rebirth.paths import Paths, paths_of
from rebirth.phases import BOOTSTRAP
from rebirth.plan import changes as changed
from rebirth.report import closing, recorded, text, timeline
from rebirth.run.create import verdicts
from rebirth.run.engine import Outcome
from rebirth.run.facts import SitesVisited
from rebirth.run.foresee import LEFT, Outlook
from rebirth.secrets import Redaction
from rebirth.terminal.bugs import where
from rebirth.terminal.ending import Ending
from rebirth.terminal.live import LiveView
from rebirth.terminal.output import width, write_text

T = TypeVar("T")
_View = Lines | LiveView | JsonLines | Silent | Steps


@dataclass
class Session:
    castle: Castle
    paths: Paths
    events: Events
    redaction: Redaction
    folder: Path  # this run's logs
    command: str
    view: _View
    quiet: bool  # nothing on standard output but what a program reads
    ending: Ending
    verbose: bool = False
    as_json: bool = False  # one answer at the end

    @property
    def parts(self) -> tuple[Castle, Paths, Events, Redaction]:
        """What every run of the graph is given first."""
        return self.castle, self.paths, self.events, self.redaction

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """As asyncio.run, but a signal ends it in the way that all commands have in common."""
        return self.ending.run(work)

    def finish(self, outcome: Outcome) -> None:
        """Shows how the run ended, and ends the process with its code."""
        self.view.close()
        for lost, error in self.events.lost:
            what = f"the rest of the logs in {self.folder}" if isinstance(lost, Recorder) else "the rest of the output"
            with suppress(OSError):
                sys.stderr.write(f"warning: {what} could not be written: {error.strerror}\n")
        if self.as_json:
            print(json.dumps(self._answer(outcome), indent=2))
        elif not self.quiet:
            self._show(outcome)
        self._show_failures(outcome)
        if not outcome.ok:
            sys.exit(max((error.exit_code for error in outcome.failures.values()), default=1))
        if outcome.left:
            sys.exit(LEFT)

    def _show(self, outcome: Outcome) -> None:
        visited = outcome.made(SitesVisited)
        headings = visited.headings if visited else {}
        if self.command == "status":
            _show_facts(outcome)
        elif self.command == "create" and outcome.ok and outcome.left:
            print("\n".join([*closing.left(self._left(outcome)), *closing.sites(headings)]))
        elif self.command == "create" and outcome.ok:
            ran = timeline.read(self.folder)
            if ran.worked:
                earlier = recorded.earlier(self.paths.logs, self.folder)
                write_text(text.essential(ran, earlier, width()))
                print(f"Everything about it: {closing.again('report', replace(self.paths, lab=None), ran.castle)}\n")
                write_text(closing.success(ran, self.paths, self.folder, headings))
            else:
                print("\n".join([closing.unchanged(ran), *closing.sites(headings)]))
        else:
            print("".join(f"{line}\n" for line in closing.sites(headings)), end="")

    def _left(self, outcome: Outcome) -> list[str]:
        lines = changed.listed(Outlook(outcome.left).all(), self.paths.castle, width(), "  ")
        return [self.redaction.redact(line) for line in lines]

    def _answer(self, outcome: Outcome) -> dict[str, object]:
        """What a program wants to know of the run: JSON of `version` 1."""
        ran = timeline.read(self.folder)
        failures = {name: self.redaction.redact(str(error)) for name, error in outcome.failures.items()}
        found: dict[str, object] = {"version": 1, "castle": self.castle.name, "command": self.command, "ok": outcome.ok}
        if self.command == "status":
            return found | {"steps": [vars(verdict) for verdict in verdicts(BOOTSTRAP, outcome)]}
        visited = outcome.made(SitesVisited)
        headings = visited.headings if visited else {}
        return found | {
            "sites": [{"url": f"https://{host}", "heading": heading} for host, heading in headings.items()],
            "online": ran.online,
            "total": ran.total,
            "kubeconfig": str(self.paths.kubeconfig),
            "logs": str(self.folder),
            "errors": [{"step": name, "error": error} for name, error in failures.items()],
            "not_run": sorted(outcome.skipped),
            **changed.data(Outlook(outcome.left), self.paths.castle),
        }

    def _show_failures(self, outcome: Outcome) -> None:
        asked = self.command == "status"
        stopped = Counter(outcome.skipped.values())
        roots = sorted(outcome.failures, key=lambda phase: -stopped[phase])  # first what kept most from starting
        failures = {str(error): error for error in map(outcome.failures.__getitem__, roots)}
        for error in failures.values():
            if not (asked and isinstance(error, DoesNotHold | CannotTell)):
                show_error(error, self.redaction)
        if asked and any(isinstance(error, DoesNotHold) for error in failures.values()):
            sys.stderr.write(
                f"hint: Run `{closing.again('create', self.paths, self.castle.name)}` to bring up what is missing.\n"
            )
        elif asked and outcome.left:
            sys.stderr.write(
                f"hint: `{closing.again('plan', self.paths, self.castle.name)}` says what create would do.\n"
            )
        elif self.command in {"create", "destroy"} and not outcome.ok:
            sys.stderr.write(closing.stopped(self.folder, list(outcome.skipped), verbose=self.verbose))
        elif not outcome.ok:
            sys.stderr.write(f"logs: {self.folder}\n")

    def say(self, words: str) -> None:
        """One line for the operator and for the run's folder, from what is no run of the graph."""
        line = self.redaction.redact(words)
        print(line, flush=True)
        with (self.folder / f"{self.command}.log").open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%H:%M:%S', time.gmtime())} {line}\n")


@contextmanager
def session(
    directory: Path, command: str, style: str, *, verbose: bool = False, quiet: bool = False, as_json: bool = False
) -> Iterator[Session]:
    """A run of `command` on the castle in `directory`. `style`: text, or json for every event; `as_json`: one answer at the end."""
    castle = load(directory)
    paths = paths_of(directory, castle.secrets)
    redaction = Redaction()
    folder = paths.logs / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    while folder.exists():
        folder = folder.with_name(folder.name + "+")
    if style not in {"text", "json"}:
        raise SpecError(f"--format: {style} is neither text nor json")
    if as_json and style == "json":
        raise SpecError(
            "--json and --format json cannot be combined", hint="--json: the answer; --format json: the events."
        )
    try:
        recorder = Recorder(folder, redaction)
    except OSError as error:
        error.filename = error.filename or str(folder)
        unusable = Broken(
            error.strerror or "cannot be written", system=str(error.filename), operation="open the run's logs"
        )
        raise of_this_machine(error, "open the run's logs") or unusable from None
    started = time.monotonic()
    silent = as_json or quiet or command == "status"
    view = _view(style, command, redaction, silent=silent, verbose=verbose)
    shared = castle, paths, Events(recorder, view), redaction, folder, command, view
    ending = Ending()
    try:
        with ending:
            yield Session(*shared, quiet or as_json or style == "json", ending, verbose, as_json)
    except (KeyboardInterrupt, asyncio.CancelledError):
        if not ending.number:
            raise
        with suppress(OSError):  # SIGHUP: the terminal is gone
            view.close()
            sys.stderr.write(
                closing.interrupted(
                    command, time.monotonic() - started, ending.name if ending.number != signal.SIGINT else ""
                )
                + "\n"
            )
        sys.exit(ending.exit_code)
    except (Rebirth, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - the trace goes into the log, redacted; bare it could show a secret
        if isinstance(error, OSError) and (local := of_this_machine(error, command)):
            raise local from None
        trace = folder / "crash.log"
        trace.write_text(redaction.redact("".join(traceback.format_exception(error))), encoding="utf-8")
        hint = f"This is a bug; please report it with the trace in {trace}."
        raise Broken(where(error), operation=command, hint=hint) from None
    finally:
        with suppress(OSError):
            view.close()
        recorder.close()


def _view(style: str, command: str, redaction: Redaction, *, silent: bool, verbose: bool) -> _View:
    if style == "json":
        return JsonLines(redaction)
    if silent:
        return Silent()
    if command == "destroy":
        return Steps(redaction)
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return LiveView(redaction, verbose=verbose)
    return Lines(redaction, verbose=verbose)


def _show_facts(outcome: Outcome) -> None:
    for found in verdicts(BOOTSTRAP, outcome):
        print(f"{found.phase:24} {found.verdict}" + (f": {found.why}" if found.why else ""))
