"""What a run says at its end: how it went, where everything is, and what comes next."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.text import Text

from rebirth.paths import Paths
from rebirth.report import text
from rebirth.report.timeline import Timeline

_ON = "completed steps are kept; run the same command again to resume"


def again(command: str, paths: Paths, castle: str) -> str:
    """The command line that runs `command` on this castle, from where the user is."""
    words = ["rebirth", command]
    if paths.lab:
        words.append("--lab")
        words += ["--lab-name", paths.lab] if paths.lab != castle else []
    return shlex.join([*words, *_directory(paths.castle)])


def _directory(castle: Path) -> list[str]:
    here = Path.cwd()
    if castle == here:
        return []
    return [str(castle.relative_to(here) if castle.is_relative_to(here) else castle)]


def success(run: Timeline, paths: Paths, logs: Path, headings: Mapping[str, str]) -> Text:
    """A castle that has just come online: its times, its sites, its kubeconfig, and the next commands."""
    online = f"online after {run.online:.1f} s, " if run.online is not None else ""
    lines = [
        Text(f"{run.castle}: {online}everything in place after {run.total:.1f} s", style="bold green"),
        Text(_counted(run)),
    ]
    if run.unproved:
        lines.append(Text(f"unproved: {run.unproved}", style="bold"))
    lines += [Text(), *map(Text, sites(headings)), Text()]
    only = " (reachable from inside the lab only)" if paths.lab else ""
    lines += [Text(f"kubeconfig  {paths.kubeconfig}{only}"), Text(f"logs        {logs}"), Text()]
    lines += [Text("Next:", style="bold"), *(Text(f"  {line}") for line in _next(run, paths))]
    return Text("\n").join(lines)


def _counted(run: Timeline) -> str:
    done = sum(span.outcome == "done" for span in run.spans)
    held = sum(span.outcome == "holds" for span in run.spans)
    return f"{done} step{'s' * (done != 1)} done" + (f", {held} in place already" if held else "")


def _next(run: Timeline, paths: Paths) -> Iterator[str]:
    look = "kubectl get nodes,kustomizations,pods -A"
    if paths.lab:
        yield f"{shlex.join(['rebirth', 'lab', 'run', '--lab-name', paths.lab])} -- {look}"
    else:
        yield f"export KUBECONFIG={shlex.quote(os.fspath(paths.kubeconfig))}"
        yield look
    yield again("status", paths, run.castle)
    yield again("destroy", paths, run.castle)


def unchanged(run: Timeline) -> str:
    """A run that found everything as it should be."""
    return f"nothing to do: everything is in place (checked in {run.total:.1f} s)"


def left(lines: Sequence[str]) -> list[str]:
    """A run that did what it could, and what castle.yaml says besides."""
    return ["everything else is in place; not done, and left to you:", *lines]


def sites(headings: Mapping[str, str]) -> list[str]:
    """A line a site that answered."""
    return [f"https://{host} says: {heading}" for host, heading in headings.items()]


def interrupted(command: str, seconds: float, by: str = "") -> str:
    """What Ctrl-C says, or another signal, which is named."""
    words = f"interrupted {f'by {by} ' if by else ''}after {seconds:.1f} s"
    return words + f"; {_ON}" if command in {"create", "destroy"} else words


def stopped(logs: Path, skipped: Sequence[str], *, verbose: bool) -> str:
    """Below the errors of a run that failed: what did not run, where the logs are, and how to go on."""
    names = " (--verbose names them)" if skipped and not verbose else ""
    lines = [text.not_run(skipped, names=verbose) + names] if skipped else []
    return "\n".join([*lines, f"logs: {logs}", f"When this is fixed: {_ON}"]) + "\n"
