import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rebirth.fleet.job import Job
from rebirth.fleet.kinds.kind import Kind

_TESTS = Path(__file__).parents[4] / "tests"  # of a checkout: an installation has no simulation


def _command(job: Job) -> list[str]:
    return ["simulate", "-n", str(job.rounds), "--seed", str(job.seed), "--jobs", "1"]


def _told(answer: Mapping[str, Any]) -> str:
    text = str(answer.get("text", ""))
    lives, failures = (
        re.search(r"^\d+ lives \(.*?\)", text, re.MULTILINE),
        re.search(r"^\d+ failures", text, re.MULTILINE),
    )
    return f"{lives[0]}, {failures[0]}" if lives and failures else ""


KIND = Kind(
    "simulate",
    _command,
    _told,
    needs_castle=False,
    of_seeds=50,
    outcomes={0: "done", 1: "findings"},
    program=("-m", "simulation"),
    at=_TESTS,
)
