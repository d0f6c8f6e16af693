"""Drills as they were recorded: a line a round, so that one that was killed goes on where it was; and what they took in numbers."""

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from pydantic import TypeAdapter, ValidationError

STEPS = ("destroy", "online", "create", "verify")  # what of a round has a time of its own; online is a part of create
FOLDER = "drills"  # below the castle's logs
_LAST = 20  # rounds of earlier drills that a drill is compared with


@dataclass(frozen=True)
class Struck:
    """A fault of a round, and how often somebody met it."""

    fault: str  # in words, such as "proxmox answers 503"
    met: int


@dataclass(frozen=True)
class Round:
    number: int
    at: float  # seconds since the epoch, when it began
    ok: bool
    seconds: Mapping[str, float]  # by step; those that were not reached are missing
    repeat: str  # the command that repeats it
    faults: tuple[Struck, ...] = ()
    failed: str = ""  # the step
    error: str = ""
    logs: str = ""  # the folder of its create
    resources: Mapping[str, int] = field(default_factory=dict)  # when the castle was gone


@dataclass(frozen=True)
class Figures:
    """Of one step over the rounds that it ended well in: seconds."""

    rounds: int
    median: float
    p95: float
    worst: float
    before: float | None  # the median of the rounds before this drill


@dataclass(frozen=True)
class Drill:
    name: str
    lab: bool
    rounds: tuple[Round, ...]

    @property
    def survived(self) -> int:
        return sum(one.ok for one in self.rounds)

    @property
    def failed(self) -> tuple[Round, ...]:
        return tuple(one for one in self.rounds if not one.ok)

    def figures(self, earlier: Sequence[Round] = ()) -> dict[str, Figures]:
        """By step; without those that no round has reached."""
        found = {}
        for step in STEPS:
            if seconds := _seconds(self.rounds, step):
                before = _seconds(earlier, step)
                found[step] = Figures(
                    len(seconds),
                    median(seconds),
                    seconds[math.ceil(0.95 * len(seconds)) - 1],
                    seconds[-1],
                    median(before) if before else None,
                )
        return found

    def faults(self) -> dict[str, tuple[int, int, int]]:
        """By fault: how many rounds had it, in how many somebody met it, and how many of these went well."""
        found: dict[str, tuple[int, int, int]] = {}
        for one in self.rounds:
            for struck in one.faults:
                had, met, survived = found.get(struck.fault, (0, 0, 0))
                found[struck.fault] = (had + 1, met + bool(struck.met), survived + (bool(struck.met) and one.ok))
        return dict(sorted(found.items()))

    def resources(self) -> dict[str, tuple[int, int]]:
        """What was there after an early destroy, and after the last one. With three rounds or more the first is left out: what it
        warms up is no leak.
        """
        measured = [one.resources for one in self.rounds if one.resources]
        measured = measured[len(measured) > 2 :]
        if len(measured) < 2:
            return {}
        return {name: (count, measured[-1][name]) for name, count in measured[0].items() if name in measured[-1]}


_ROUND = TypeAdapter(Round)


def _seconds(rounds: Sequence[Round], step: str) -> list[float]:
    return sorted(one.seconds[step] for one in rounds if step in one.seconds and one.failed != step)


def file_of(logs: Path, name: str) -> Path:
    return logs / FOLDER / f"{name}.jsonl"


def begin(logs: Path, name: str, *, lab: bool) -> Drill:
    """The drill of that name as it stands: with the rounds that it has done already."""
    file = file_of(logs, name)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _append(file, {"drill": name, "lab": lab})
    return read(file)


def add(logs: Path, name: str, one: Round) -> None:
    """Writes a round down; it is on the disk when this returns."""
    _append(file_of(logs, name), asdict(one))


def _append(file: Path, entry: Mapping[str, object]) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(entry) + "\n")
        lines.flush()
        os.fsync(lines.fileno())


def read(file: Path) -> Drill:
    """A torn line, of a drill that was killed while it wrote, is none."""
    lab, rounds = False, dict[int, Round]()
    for line in file.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError, RecursionError, ValidationError):
            entry = json.loads(line)
            if "drill" in entry:
                lab = bool(entry["lab"])
            else:
                one = _ROUND.validate_python(entry)
                rounds[one.number] = one
    return Drill(file.stem, lab, tuple(rounds.values()))


def drills(logs: Path) -> list[Drill]:
    """Every drill that was recorded, the one with the oldest round first."""
    found = [read(file) for file in (logs / FOLDER).glob("*.jsonl")]
    return sorted((drill for drill in found if drill.rounds), key=lambda drill: drill.rounds[0].at)


def earlier(logs: Path, drill: Drill) -> list[Round]:
    """The last rounds before that drill that went well, in the same world: of a lab, or of the real systems."""
    since = drill.rounds[0].at if drill.rounds else math.inf
    others = [other for other in drills(logs) if other.name != drill.name and other.lab == drill.lab]
    return [one for other in others for one in other.rounds if one.ok and one.at < since][-_LAST:]


def as_data(drill: Drill, before: Sequence[Round] = ()) -> dict[str, object]:
    """The answer of `drill --json`, and what the report has of each."""
    return {
        "version": 1,
        "drill": drill.name,
        "lab": drill.lab,
        "rounds": len(drill.rounds),
        "survived": drill.survived,
        "steps": {step: asdict(figures) for step, figures in drill.figures(before).items()},
        "faults": [
            {"fault": fault, "rounds": had, "met": met, "survived": survived}
            for fault, (had, met, survived) in drill.faults().items()
        ],
        "failures": [
            {"round": one.number, "step": one.failed, "error": one.error, "logs": one.logs, "repeat": one.repeat}
            for one in drill.failed
        ],
        "resources": {name: {"before": first, "after": last} for name, (first, last) in drill.resources().items()},
    }


def text(drill: Drill, before: Sequence[Round] = ()) -> Iterator[str]:
    """What a drill says at its end, line by line."""
    yield f"{drill.survived} of {len(drill.rounds)} rounds went well"
    if figures := drill.figures(before):
        yield ""
        yield f"{'step':10}{'rounds':>8}{'median':>10}{'p95':>10}{'worst':>10}{'before':>10}"
    for step, found in figures.items():
        was = f"{found.before:.1f} s" if found.before is not None else ""
        numbers = "".join(f"{number:8.1f} s" for number in (found.median, found.p95, found.worst))
        yield f"{step:10}{found.rounds:8}{numbers}{was:>10}".rstrip()
    if faults := drill.faults():
        yield ""
        yield f"{'fault':44}{'rounds':>8}{'met':>6}{'survived':>10}"
    for fault, (had, met, survived) in faults.items():
        yield f"{fault:44}{had:8}{met:6}{survived:10}"
    if resources := drill.resources():
        yield ""
        yield f"{'while the castle is gone':30}{'early':>12}{'last':>12}"
    for name, (first, last) in resources.items():
        yield f"{name:30}{first:12}{last:12}"
    for one in drill.failed:
        yield ""
        yield f"round {one.number} failed in {one.failed}: {one.error}"
        yield f"  logs: {one.logs}" if one.logs else "  no logs"
        yield f"  again: {one.repeat}"
