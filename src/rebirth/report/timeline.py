"""Reads a run's events.jsonl into a timeline: spans, the critical path, the protocol's layers."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rebirth.errors import SpecError
from rebirth.phases import PHASES
from rebirth.run.phase import goal

_PREPARING = {phase.name for phase in PHASES if phase.prepares}  # nothing was made before these are done
_READY_NOTE = re.compile(r"(\S+ \S+/\S+) is Ready")


@dataclass(frozen=True)
class Span:
    phase: str
    start: float  # seconds since the run started
    seconds: float
    after: str  # the phase that made its last need true, "" where it needs nothing
    outcome: str  # done, holds, failed, skipped, running
    waited_for: tuple[tuple[str, float], ...]  # what, seconds
    error: str = ""  # why it failed, or which failure kept it from starting
    hint: str = ""  # what to do about it

    @property
    def end(self) -> float:
        return self.start + self.seconds


@dataclass(frozen=True)
class Step:
    """A part of the critical path; `phase` is "" for time in which no phase ran."""

    phase: str
    start: float
    seconds: float


@dataclass(frozen=True)
class Ready:
    """A node of the Flux graph that became Ready."""

    kind: str
    name: str  # namespace/name
    at: float  # seconds since the run started
    phase: str = ""  # that waited for it

    @property
    def label(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Timeline:
    castle: str
    command: str
    started: float  # seconds since the epoch
    ok: bool
    total: float  # seconds
    spans: tuple[Span, ...]
    unproved: str = ""  # why it ran without the proof, or against it
    flux: tuple[Ready, ...] = ()  # in the order in which they became Ready
    finished: bool = True  # False: it was killed or interrupted, or goes on
    error: str = ""  # why it ended, where no phase says so
    goal: str = ""  # the phase at whose end the castle is online

    @property
    def when(self) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.started))

    @property
    def ran(self) -> tuple[Span, ...]:
        return tuple(span for span in self.spans if span.outcome != "skipped")

    @property
    def worked(self) -> bool:
        """Whether it did something, not only looked."""
        return any(s.outcome in {"done", "failed", "running"} and s.phase not in _PREPARING for s in self.spans)

    @property
    def failed(self) -> tuple[Span, ...]:
        """What failed; first the failure that kept most from starting."""
        stopped = [span.error for span in self.spans if span.outcome == "skipped"]
        failed = [span for span in self.spans if span.outcome == "failed"]
        return tuple(sorted(failed, key=lambda span: (-stopped.count(span.phase), span.end)))

    @property
    def skipped(self) -> tuple[str, ...]:
        return tuple(span.phase for span in self.spans if span.outcome == "skipped")

    @property
    def outcome(self) -> str:
        return "done" if self.ok else "failed" if self.finished else "interrupted"

    @property
    def online(self) -> float | None:
        """Seconds until the castle was online."""
        return next((span.end for span in self.spans if span.phase == self.goal and span.outcome == "done"), None)

    def critical_path(self, last: str | None = None) -> tuple[Step, ...]:
        """From the start to the end of `last` (or of the phase that ended last), with every gap: the parts add up to its end."""
        spans = {span.phase: span for span in self.spans}
        ran = [span for span in self.spans if span.outcome in {"done", "failed", "running"}]
        current = spans.get(last) if last else max(ran, key=lambda span: span.end, default=None)
        steps: list[Step] = []
        while current is not None:
            steps.append(Step(current.phase, current.start, current.seconds))
            before = spans.get(current.after)
            ended = before.end if before else 0.0
            if (gap := current.start - ended) > 0:
                steps.append(Step("", ended, gap))
            current = before
        return tuple(reversed(steps))

    def layers(self, layer_of: Mapping[str, str]) -> dict[str, tuple[float, float]]:
        """For each of the protocol's layers: from the start of its first phase to the end of its last, and the sum of its phases."""
        found: dict[str, list[Span]] = {}
        for span in self.spans:
            if span.outcome == "done":
                found.setdefault(layer_of.get(span.phase, "?"), []).append(span)
        return {
            layer: (max(s.end for s in spans) - min(s.start for s in spans), sum(s.seconds for s in spans))
            for layer, spans in found.items()
        }


def as_data(timeline: Timeline, layer_of: Mapping[str, str]) -> dict[str, object]:
    """The timeline with all that follows from it, for JSON."""
    layers = {
        layer: {"from_first_to_last": span, "sum": total} for layer, (span, total) in timeline.layers(layer_of).items()
    }
    path = [asdict(step) for step in timeline.critical_path()]
    return {"version": 1} | asdict(timeline) | {"online": timeline.online, "critical_path": path, "layers": layers}


def read(folder: Path) -> Timeline:
    """The timeline of the run in that folder. Raises SpecError where there is none, or none that can be read."""
    try:
        return _read(folder)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        hint = "Another run has its record in a folder beside this one: `rebirth report --list`."
        raise SpecError(f"{folder}: the record of this run is damaged", hint=hint) from None


def _read(folder: Path) -> Timeline:
    try:
        lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        raise SpecError(f"{folder}: no run was recorded here", hint="`rebirth create` records one.") from None
    events = list(_parsed(lines))
    first = next((event for event in events if event["event"] == "RunStarted"), None)
    if first is None:
        raise SpecError(f"{folder}: the record of this run has no beginning")
    last = next((event for event in reversed(events) if event["event"] == "RunFinished"), None)
    checked = next((event for event in events if event["event"] == "Checked"), {})
    phases: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if "phase" in event:
            phases.setdefault(event["phase"], []).append(event)
    spans = [_span(name, of_phase, first["at"]) for name, of_phase in phases.items()]
    ended = last["at"] if last else events[-1]["at"]
    return Timeline(
        castle=first["castle"],
        command=first["command"],
        started=first["at"],
        ok=bool(last and last["ok"]),
        total=ended - first["at"],
        spans=tuple(sorted(spans, key=lambda span: (span.start, span.end))),
        unproved=checked.get("unproved", ""),
        flux=tuple(_flux(events, first["at"])),
        finished=last is not None,
        error=last["error"] if last else "",
        goal=goal(phase for phase in PHASES if phase.name in first["phases"]),
    )


def _flux(events: Iterable[dict[str, Any]], since: float) -> Iterator[Ready]:
    """The first time that each node was Ready, as the phase that watches them recorded it."""
    seen: set[str] = set()
    for event in events:
        label = event["node"] if event["event"] == "BecameReady" else _noted(event)
        if label and label not in seen:
            seen.add(label)
            kind, _, name = label.partition(" ")
            yield Ready(kind, name, event["at"] - since, event["phase"])


def _noted(event: dict[str, Any]) -> str:
    """Runs of an earlier version recorded the same as a note."""
    note = _READY_NOTE.fullmatch(event["text"]) if event["event"] == "Noted" else None
    return note[1] if note else ""


def _parsed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with suppress(ValueError):  # the last line of a run that was killed may be half a line
            yield json.loads(line)


_ENDS = {"PhaseDone": "done", "PhaseHolds": "holds", "PhaseFailed": "failed", "PhaseSkipped": "skipped"}


def _span(phase: str, events: list[dict[str, Any]], since: float) -> Span:
    ready = next((event for event in events if event["event"] == "PhaseReady"), None)
    end = next((event for event in events if event["event"] in _ENDS), events[-1])
    start = ready or next((event for event in events if event["event"] == "PhaseStarted"), end)
    waits = tuple((event["what"], event["seconds"]) for event in events if event["event"] == "Arrived")
    outcome = _ENDS.get(end["event"], "running")
    return Span(
        phase=phase,
        start=start["at"] - since,
        seconds=end["at"] - start["at"],
        after=ready["last"] if ready else "",
        outcome=outcome,
        waited_for=waits,
        error=end.get("error", "") if outcome == "failed" else end.get("because", ""),
        hint=end.get("hint", ""),
    )


def runs(logs: Path) -> list[Path]:
    """The folders of recorded runs, the oldest first. What records no run of the graph (destroy) is passed over."""
    return sorted(folder for folder in logs.iterdir() if _begins(folder)) if logs.is_dir() else []


def _begins(folder: Path) -> bool:
    try:
        with (folder / "events.jsonl").open(encoding="utf-8") as lines:
            return '"RunStarted"' in lines.readline()
    except OSError:
        return False
