"""What a kind of job is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebirth.fleet.job import Job


@dataclass(frozen=True)
class Kind:
    name: str
    command: Callable[[Job], list[str]]  # behind `rebirth`
    told: Callable[[Mapping[str, Any]], str]  # the answer of its command, in a few words
    needs_castle: bool = True
    in_lab: bool = False  # whether it may be done in a lab
    destroys: bool = False  # asked for once more, on real systems
    repeats: bool = False  # done N times: it takes -n and --seed and, in a lab, --faults
    of_seeds: int = 0  # it has no castle but seeds, that many a job
    outcomes: Mapping[int, str] = field(default_factory=lambda: {0: "done"})  # by exit code; the others are "failed"
    program: tuple[str, ...] = ("-m", "rebirth")  # of this Python
    at: Path | None = None  # the folder that it runs in

    def outcome(self, code: int) -> str:
        return self.outcomes.get(code, "failed")


def of_castle(job: Job, command: str, *more: str) -> list[str]:
    """A command on the job's castle, in the lab where it asks for that."""
    lab = ["--lab", *(["--lab-name", job.lab_name] if job.lab_name else [])] if job.lab else []
    return [command, job.directory, *lab, *more]


def of_tree(job: Job, command: str, *more: str) -> list[str]:
    """A command on a castle, or on a repository alone."""
    return [command, *([] if job.is_castle else ["--gitops"]), job.directory, *more]
