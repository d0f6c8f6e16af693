"""The recorded runs of a castle: which one is meant, with which it is compared, and all of them as a list."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rebirth.errors import SpecError
from rebirth.report.timeline import Timeline, read, runs


def chosen(logs: Path, wanted: str = "", command: str = "create") -> Path:
    """The run that was started at that time (its beginning is enough, such as 20260102); without one the last that did something.

    Raises SpecError where there is none, or several.
    """
    found = [folder for folder in runs(logs) if folder.name.startswith(wanted)]
    if wanted:
        exact = [folder for folder in found if folder.name == wanted]
        if len(exact or found) > 1:
            names = ", ".join(folder.name for folder in found)
            raise SpecError(f"{wanted} matches several runs: {names}", hint="Give one of them in full.")
        found = exact or found
    else:
        ran = {folder: run for folder, run in _known(logs) if run.command == command}
        found = [folder for folder in found if folder in ran]
    if not found:
        words = f"no such run: {wanted}" if wanted else "no run was recorded"
        hint = "`rebirth report --list` names the runs." if wanted else f"`rebirth {command}` records one."
        raise SpecError(f"{logs}: {words}", hint=hint)
    return next((folder for folder in reversed(found) if read(folder).worked), found[-1])


def earlier(logs: Path, folder: Path) -> Timeline | None:
    """The last run before that folder's that went online."""
    for _, found in reversed([(other, run) for other, run in _known(logs) if other.name < folder.name]):
        if found.command == "create" and found.online is not None:
            return found
    return None


def as_data(logs: Path) -> list[dict[str, object]]:
    """Every recorded run, the oldest first."""
    return [
        {
            "run": folder.name,
            "command": run.command,
            "outcome": run.outcome,
            "worked": run.worked,
            "online": run.online,
            "total": run.total,
        }
        for folder, run in _known(logs)
    ]


def listed(logs: Path) -> str:
    """A line a run, the oldest first. Raises SpecError where there is none."""
    lines = [f"{'run':20} {'command':8} {'outcome':13} {'online':>9} {'total':>9}"]
    for folder, run in _known(logs):
        outcome = run.outcome if run.worked or not run.ok else "nothing to do"
        online = f"{run.online:.1f} s" if run.online is not None else ""
        lines.append(f"{folder.name:20} {run.command:8} {outcome:13} {online:>9} {run.total:7.1f} s")
    if len(lines) == 1:
        raise SpecError(f"{logs}: no run was recorded", hint="`rebirth create` records one.")
    return "\n".join(lines) + "\n"


def _known(logs: Path) -> Iterator[tuple[Path, Timeline]]:
    """The runs whose records can be read."""
    for folder in runs(logs):
        with suppress(SpecError):
            yield folder, read(folder)
