"""How long things take: as the last run of the castle says, else by rules of thumb (`durations`)."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rebirth.errors import SpecError
from rebirth.phases import PHASES
from rebirth.proof.durations import usual
from rebirth.proof.graph import Graph
from rebirth.proof.things import Milestone, Scope, Thing
from rebirth.report import timeline

# These wait for what others do, which the graph holds itself: how long they took says nothing of them.
_WAITING = {phase.name for phase in PHASES if phase.waits}
_READY_NOTE = re.compile(r"(\S+ \S+/\S+) is Ready")  # how it was written before it had an event of its own


@dataclass(frozen=True)
class Measured:
    """What one earlier run took."""

    run: str = ""  # its folder's name; "": there was none
    phases: Mapping[str, float] = field(default_factory=dict)  # seconds by itself
    ended: Mapping[str, float] = field(default_factory=dict)  # phase -> seconds since the run started
    ready: Mapping[str, float] = field(default_factory=dict)  # label of a Flux node -> seconds since the run started


def measured(logs: Path) -> Measured:
    """The last run in `logs` that went online from nothing; nothing where there is none."""
    for folder in reversed(timeline.runs(logs)):
        with suppress(SpecError):
            run = timeline.read(folder)
            if run.command == "create" and run.ok and run.online is not None:
                spans = [span for span in run.spans if span.outcome == "done"]
                alone = {span.phase: span.seconds for span in spans if span.phase not in _WAITING}
                ended = {span.phase: span.end for span in spans}
                return Measured(folder.name, alone, ended, _notes(folder, run.started))
    return Measured()


def _notes(folder: Path, started: float) -> dict[str, float]:
    """When the nodes of the Flux graph were Ready, as the phase that watches them noted it."""
    found: dict[str, float] = {}
    for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines():
        with suppress(ValueError, KeyError):
            event = json.loads(line)
            if event["event"] == "BecameReady":
                found.setdefault(event["node"], event["at"] - started)
            elif event["event"] == "Noted" and (note := _READY_NOTE.fullmatch(event["text"])):
                found.setdefault(note[1], event["at"] - started)
    return found


def predict(graph: Graph, earlier: Measured, labels: set[str]) -> None:
    """Fills `graph.seconds` where no source did. `labels` are those of phases and of units."""
    for thing in graph.things:
        graph.seconds.setdefault(thing, _default(thing, earlier))
    if earlier.ready:
        _fit(graph, earlier, labels)


def _default(thing: Thing, earlier: Measured) -> float:
    if thing.kind == "phase" and thing.milestone is Milestone.APPLIED and thing.name in earlier.phases:
        return earlier.phases[thing.name]
    return usual(thing)


def _fit(graph: Graph, earlier: Measured, labels: set[str]) -> None:
    """Lets phases and the nodes of the Flux graph be ready when they were, each by what it took after its needs were true.

    What lies inside of them (a Deployment, a release that a phase installs) is in their time.
    """
    at: dict[Thing, float] = {}
    for thing in graph.settle(Scope.FIRST_BOOT).order:
        before = [at[e.needs] for e in graph.edges[thing] if e.scope & Scope.FIRST_BOOT and e.needs in at]
        begin = max((min(before) if thing in graph.made else max(before)) if before else 0.0, 0.0)
        if thing not in graph.starts:
            graph.seconds[thing] = _fitted(thing, begin, graph.seconds[thing], earlier, labels)
        at[thing] = begin + graph.seconds[thing]


def _fitted(thing: Thing, begin: float, usually: float, earlier: Measured, labels: set[str]) -> float:
    ended = earlier.ended.get(thing.name) if thing.kind == "phase" else earlier.ready.get(thing.label)
    if thing.label not in labels:
        return 0.0 if thing.milestone is Milestone.READY else usually
    if ended is None:
        return 0.0 if thing.kind not in {"phase", "Kustomization", "HelmRelease"} else usually
    left = max(0.0, ended - begin)
    if thing.milestone is Milestone.READY:
        return left
    if thing.milestone is Milestone.APPLIED:
        alone = thing.kind == "phase" and thing.name not in _WAITING
        return left if alone else min(usually, left / 2)
    return 0.0
