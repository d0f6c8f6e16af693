"""The commands that read recorded runs: report, and logs."""

import json
import sys
from pathlib import Path

from rebirth.castle import load
from rebirth.errors import SpecError
from rebirth.paths import paths_of
from rebirth.phases import PHASES
from rebirth.report import page, recorded, text, timeline
from rebirth.report.drills import FOLDER
from rebirth.report.history import history
from rebirth.terminal.output import width, write, write_text

LAYER_OF = {phase.name: phase.layer for phase in PHASES}


def report(directory: Path, style: str, *, run: str = "", against: str = "", as_list: bool = False) -> None:
    """The report of a recorded run, or the list of them, on standard output. Raises SpecError."""
    if style not in {"text", "json", "html"}:
        raise SpecError(f"--format: {style} is none of text, json, html")
    logs = _logs(directory)
    if as_list:
        if style == "html":
            raise SpecError("--list cannot be printed as html", hint="Use --format text or --format json.")
        runs = {"version": 1, "runs": recorded.as_data(logs)}
        write(recorded.listed(logs) if style == "text" else json.dumps(runs, indent=2) + "\n")
        return
    folder = recorded.chosen(logs, run)
    shown = timeline.read(folder)
    other = timeline.read(recorded.chosen(logs, against)) if against else recorded.earlier(logs, folder)
    if style == "json":
        write(json.dumps({"run": folder.name} | timeline.as_data(shown, LAYER_OF), indent=2) + "\n")
    elif style == "html":
        write(page.render(shown, LAYER_OF, other, history(logs)))
    else:
        write_text(text.render(shown, LAYER_OF, other, width()))


def logs(directory: Path | None, phase: str, run: str) -> None:
    """What a run wrote down, in the order of time, or a phase's own log, on standard output. Raises SpecError.

    One argument alone may be either: a phase's name, where there is no such directory.
    """
    if directory and not phase and str(directory) in LAYER_OF and not directory.exists():
        directory, phase = None, str(directory)
    folders = sorted(folder for folder in _all(_logs(directory or Path())) if folder.name.startswith(run))
    if not folders:
        raise SpecError(
            f"no such run: {run}" if run else "no run was recorded", hint="`rebirth report --list` names the runs."
        )
    folder = folders[-1]
    files = {file.stem: file for file in sorted(folder.glob("*.log"))}
    if phase and phase not in files:
        raise SpecError(f"{folder}: no log of {phase}", hint=f"There are logs of {', '.join(files) or 'no step'}.")
    sys.stderr.write(f"{files[phase] if phase else folder}\n")
    write(files[phase].read_text(encoding="utf-8") if phase else _merged(folder.name, files))


def _all(logs: Path) -> list[Path]:
    return [folder for folder in logs.glob("*/") if folder.name != FOLDER]


def _merged(run: str, files: dict[str, Path]) -> str:
    """Every log's lines by their times; what follows a line without a time of its own (a trace) stays with it."""
    started = f"{run[9:11]}:{run[11:13]}:{run[13:15]}"
    entries: list[tuple[bool, str, str]] = []  # whether it is of the next day, its time, the line
    for phase, file in files.items():
        for line in file.read_text(encoding="utf-8").splitlines():
            stamp, _, words = line.partition(" ")
            if stamp[:2].isdigit() and stamp.count(":") == 2:
                entries.append((stamp < started, stamp, f"{stamp} {phase:24} {words}"))
            elif entries:
                entries[-1] = (*entries[-1][:2], f"{entries[-1][2]}\n{line}")
    return "".join(f"{line}\n" for *_, line in sorted(entries, key=lambda entry: entry[:2]))


def _logs(directory: Path) -> Path:
    return paths_of(directory, load(directory).secrets).logs
