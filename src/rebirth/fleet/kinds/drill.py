from collections.abc import Mapping
from typing import Any

from rebirth.fleet.job import Job
from rebirth.fleet.kinds.kind import Kind, of_castle


def _command(job: Job) -> list[str]:
    """By the job's name: one that was interrupted goes on with the round that it had come to."""
    faults = ["--faults", job.faults, "--seed", str(job.seed)] if job.lab else []
    return of_castle(job, "drill", "--yes", "--json", "-n", str(job.rounds), "--name", job.id, *faults)


def _told(answer: Mapping[str, Any]) -> str:
    return f"{answer['survived']} of {answer['rounds']} rounds went well" if "rounds" in answer else ""


KIND = Kind("drill", _command, _told, in_lab=True, destroys=True, repeats=True)
