"""One run of create in the lab that is ended at a point, and what is left of it then: processes, files, words."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from killing.points import Point
from rebirth.paths import LAB
from rehearsal import Castle

MARK = "REBIRTH_KILLING"  # in the environment of a run, and so of all that it starts
_LOOK = 0.005  # seconds between two looks
_GRACE = 3.0  # seconds until what a killed run had started has to be gone
_ENDS = 30.0  # seconds in which a signal that asks has to end a run


@dataclass
class Ended:
    point: Point | None
    code: int
    seconds: float  # since its start
    said: str
    running: list[str] = field(default_factory=list)  # phases, at that moment
    lines: int = 0  # of the journal
    survivors: list[str] = field(default_factory=list)  # processes
    gone_after: float = 0.0  # seconds from the signal until nothing of the run was left
    scraps: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def killed(self) -> bool:
        return self.point is not None


class Runs:
    """The runs of one castle. `scratch` is their folder for temporary files."""

    def __init__(self, castle: Castle, scratch: Path) -> None:
        self.castle, self.scratch = castle, scratch
        self.state = castle.folder / ".rebirth" / f"lab-{castle.lab.name}"
        self._number = 0

    @property
    def journal(self) -> list[float]:
        """When each of its lines was written."""
        try:
            lines = (self.state / "journal.jsonl").read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [float(json.loads(line)["at"]) for line in lines if line.endswith(b"\n")]

    def create(self, point: Point | None = None) -> Ended:
        """To its end, or to the point; `point` of what is returned is None where it ended before that."""
        self._number += 1
        mark, began = f"{os.getpid()}-{self._number}", time.time()
        environment = os.environ | {MARK: mark, "TMPDIR": str(self.scratch)}
        command = [sys.executable, "-m", "rebirth", *self.castle.in_lab("create", "--budget", "600")]
        before = set(self.logs())
        words = self.scratch.with_name("said")
        with words.open("wb") as said:
            process = subprocess.Popen(
                command, stdout=said, stderr=subprocess.STDOUT, env=environment, cwd=self.castle.folder.parent,
                start_new_session=True,
            )  # fmt: skip
            met = point is not None and self._comes_to(process, point, before)
            ended = Ended(point if met else None, 0, time.time() - began, "", lines=len(self.journal))
            if met:
                _end(process, mark, point.way)
            since = time.monotonic()
            ended.code = process.wait(_ENDS if met else None)
        while (survivors := list(_marked(mark))) and time.monotonic() - since < _GRACE:
            time.sleep(_LOOK)
        ended.gone_after, ended.survivors = time.monotonic() - since, survivors
        ended.said, ended.running = words.read_text(errors="replace"), self._running(before)
        ended.scraps = list(self._scraps())
        ended.complaints = list(complaints(ended))
        return ended

    def _comes_to(self, process: subprocess.Popen[bytes], point: Point, before: set[Path]) -> bool:
        """Whether the run gets there before it ends."""
        since = None if point.event or point.lines else time.monotonic()
        while process.poll() is None:
            if since is None and (self._hands_over(before) if point.event else len(self.journal) >= point.lines):
                since = time.monotonic()
            if since is not None and time.monotonic() - since >= point.seconds:
                return True
            time.sleep(_LOOK)
        return False

    def logs(self) -> Iterator[Path]:
        yield from (self.castle.folder / "logs").glob("*/events.jsonl")

    def events(self, before: set[Path]) -> list[dict]:
        found = []
        for file in set(self.logs()) - before:
            for line in file.read_text().splitlines():
                try:
                    found.append(json.loads(line))
                except ValueError:  # half a line
                    continue
        return found

    def _hands_over(self, before: set[Path]) -> bool:
        return any(is_handing_over(event) for event in self.events(before))

    def _running(self, before: set[Path]) -> list[str]:
        found: dict[str, None] = {}
        for event in self.events(before):
            if event["event"] == "PhaseStarted":
                found[event["phase"]] = None
            elif event["event"] in {"PhaseDone", "PhaseHolds", "PhaseFailed", "PhaseSkipped"}:
                found.pop(event["phase"], None)
        return list(found)

    def _scraps(self) -> Iterator[str]:
        """Files that nobody needs any more, or that are there in part."""
        produced = self.castle.lab.secrets / "produced"
        found = [*produced.glob(".scratch/*"), *(self.state / "git").glob("*"), *self.scratch.iterdir()]
        found += [file for file in self.state.rglob("*") if file.suffix in {".new", ".tmp"}]
        found += [file for file in produced.glob("*") if file.is_file() and not file.stat().st_size]
        yield from (file.name for file in found)


def is_handing_over(event: dict) -> bool:
    """The value that was made in the cluster is known, and not in Vault yet."""
    return event["event"] == "Arrived" and event["phase"] == "hand_over" and "is generated" in event["what"]


def _end(process: subprocess.Popen[bytes], mark: str, way: str) -> None:
    if way == "group":
        os.killpg(process.pid, signal.SIGKILL)
    elif way == "main":
        os.kill(_program(process.pid, mark), signal.SIGKILL)
    elif way == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # a key reaches all that is on the terminal
    else:
        process.send_signal(signal.Signals[way])


def _program(outer: int, mark: str) -> int:
    """The product's own process inside of the lab; where none has entered it yet, the one that is about to."""
    inside = (pid for pid, words, entered in processes(mark) if entered and "create" in words)
    return next(inside, outer)


def _marked(mark: str) -> Iterator[str]:
    yield from (" ".join(words) for _, words, _ in processes(mark))


def processes(mark: str) -> Iterator[tuple[int, list[str], bool]]:
    """Those of a run: number, arguments, and whether it was started in the lab."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            if f"{MARK}={mark}".encode() in environment:
                entered = any(entry.startswith(f"{LAB}=".encode()) for entry in environment)
                yield int(folder.name), (folder / "cmdline").read_text(errors="replace").split("\0"), entered
        except OSError:  # it has ended
            continue


def complaints(ended: Ended) -> Iterator[str]:
    yield from (f"outlived its run: {words}" for words in ended.survivors)
    if "Traceback" in ended.said or "This is a bug" in ended.said:
        yield f"a trace: {ended.said[-300:]}"
    way = ended.point.way if ended.point else ""
    if not way and ended.code:
        yield f"a run that nobody ended exited with {ended.code}: {ended.said[-300:]}"
    if way.startswith("SIG") and ended.code != 128 + signal.Signals[way]:
        yield f"exit code {ended.code} after {way}: {ended.said[-300:]}"
    if not way or way.startswith("SIG"):
        yield from (f"left a file: {name}" for name in ended.scraps)
